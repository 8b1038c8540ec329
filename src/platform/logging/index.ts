/** Logging: the Log port and its pino implementation. Redaction is a backstop; callers pass no secret at all. */
export { Log, SilentLog } from './log';
export { NestLog, PinoLog } from './pino-log';
export { describeError } from './log';
