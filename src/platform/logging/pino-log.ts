import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';
import { Log } from './log';

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

  constructor(level: string, destination?: pino.DestinationStream) {
    super();
    const options: pino.LoggerOptions = {
      level,
      base: null,
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
