import { Writable } from 'node:stream';
import { Log, PinoLog } from '../../src/platform/logging';

export interface RecordedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** Keeps what is logged. */
export class RecordingLog extends Log {
  readonly lines: RecordedLine[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', fields, message });
  }
  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }
  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }
}

/** The real log, writing into memory. */
interface CapturedLog {
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
