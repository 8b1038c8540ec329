const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * What a log line may say of an error: name, code, stack, and the message unless the database wrote it, since that
 * (like the driver's other fields) may hold values of rows.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { thrown: typeof error };
  const code = 'code' in error ? error.code : undefined;
  const fromDatabase = typeof code === 'string' && SQLSTATE.test(code);
  const stack = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    code,
    message: fromDatabase ? undefined : error.message,
    stack: stack.slice(0, 12).join('\n'),
  };
}

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
