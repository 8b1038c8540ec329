import { checkFrame } from './asyncapi';

/** A frame of the server. */
export interface ServerFrame {
  readonly type: string;
  readonly [field: string]: unknown;
}

const faults: string[] = [];

/** Whoever imports a client gets this: a frame that is not as docs/asyncapi.json says fails the test that got it. */
afterEach(() => {
  expect(faults.splice(0)).toEqual([]);
});

/** Every text that any client of the tests is sent goes through here. */
export function seenFrame(text: string): ServerFrame {
  const frame = JSON.parse(text) as ServerFrame;
  try {
    checkFrame(frame, 'server');
  } catch (error) {
    faults.push(String(error));
  }
  return frame;
}
