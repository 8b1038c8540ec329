/** Logging: the Log port and its pino implementation. Redaction is a backstop; callers pass no secret at all. */
import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';
import { ConfigError } from '../../config';

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

/** Fields that never reach a log line, wherever they stand one or two levels deep. */
const SECRET_FIELDS = [
  'authorization',
  'x-api-key',
  'x-master-key',
  'api_key',
  'token',
  'password',
  'secret',
  'content',
  'meta',
];

/** The log on pino: JSON lines on stdout. */
export class PinoLog extends Log {
  private readonly pino: Logger;

  /** @param node of several servers: on every line */
  constructor(level: string, destination?: pino.DestinationStream, node?: string) {
    super();
    const options: pino.LoggerOptions = {
      level,
      base: node === undefined ? null : { node },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_FIELDS.flatMap((f) => [`["${f}"]`, `*["${f}"]`, `*.*["${f}"]`]), censor: '[redacted]' },
    };
    this.pino = destination ? pino(options, destination) : pino(options);
  }

  debug(fields: object, message: string): void {
    this.pino.debug(fields, message);
  }
  info(fields: object, message: string): void {
    this.pino.info(fields, message);
  }
  warn(fields: object, message: string): void {
    this.pino.warn(fields, message);
  }
  error(fields: object, message: string): void {
    this.pino.error(fields, message);
  }
}

/** Lets Nest's own lines (start-up, unexpected errors) go the same way; its routine chatter is debug. */
export class NestLog implements LoggerService {
  constructor(private readonly target: Log) {}

  log(message: unknown, context?: unknown): void {
    this.target.debug({ context }, String(message));
  }
  warn(message: unknown, context?: unknown): void {
    this.target.warn({ context }, String(message));
  }
  error(message: unknown, stack?: unknown, context?: unknown): void {
    this.target.error({ context, stack }, String(message));
  }
  debug(message: unknown, context?: unknown): void {
    this.target.debug({ context }, String(message));
  }
  verbose(message: unknown, context?: unknown): void {
    this.target.debug({ context }, String(message));
  }
}

/** Logging: the Log port and its pino implementation. Redaction is a backstop; callers pass no secret at all. */

/** What an operator at the terminal sees: one line per fault; a stack only where the error was not expected. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.faults.join('\n');
  if (!(error instanceof Error)) return String(error);
  const isExpected = error.constructor === Error || /(Refusal|EmbeddedPostgresError)$/.test(error.name);
  return isExpected ? error.message : (error.stack ?? error.message);
}
