import { Writable } from 'node:stream';
import { PinoLog } from '../../src/platform/logging';

/** The real log, writing into memory. */
export interface CapturedLog {
  readonly log: PinoLog;
  /** Everything that was written. */
  text(): string;
  /** The same, a parsed object per line. */
  lines(): Record<string, unknown>[];
}

export function captureLog(level: string): CapturedLog {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  return {
    log: new PinoLog(level, stream),
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
