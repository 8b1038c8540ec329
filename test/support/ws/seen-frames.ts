import { type Channel, checkFrame } from './asyncapi';

/** A frame of the server; of `/ws/chat` the type is its event_type. */
export interface ServerFrame {
  readonly type: string;
  readonly [field: string]: unknown;
}

const faults: string[] = [];
/** A script has no tests that could fail. */
const isTest = 'afterEach' in globalThis;

/** Whoever imports a client gets this: a frame that is not as docs/asyncapi.json says fails the test that got it. */
if (isTest)
  afterEach(() => {
    expect(faults.splice(0)).toEqual([]);
  });

/** Every text that any client of the tests is sent goes through here. */
export function seenFrame(text: string, channel: Channel): ServerFrame {
  const frame = JSON.parse(text) as ServerFrame & { readonly event_type?: string };
  try {
    checkFrame(frame, 'server', channel);
  } catch (error) {
    if (!isTest) throw error;
    faults.push(String(error));
  }
  return channel === 'socket' ? frame : { ...frame, type: frame.event_type ?? '' };
}
