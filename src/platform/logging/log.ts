/**
 * What the code logs through. Lines are JSON objects with a message; `request_id` is among the fields wherever a
 * request is the cause. Never a secret, never message content.
 */
export abstract class Log {
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
}

/** Swallows everything; for tests of classes that need a log. */
export class SilentLog extends Log {
  debug(): void {
    return;
  }
  info(): void {
    return;
  }
  warn(): void {
    return;
  }
  error(): void {
    return;
  }
}
