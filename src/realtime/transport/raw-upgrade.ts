import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AppError, errorBody } from '../../common/errors';
import { CLOSE_GRACE_MS } from './close-codes';

/** More of an HTTP refusal than its error says. */
export interface HttpAnswerOptions {
  /** Where HTTP has a status of its own for what the catalogue calls a bad request (405, 426). */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers an upgrade with an error in the contract's shape and hangs up. */
export function answerUpgrade(
  socket: Duplex,
  error: AppError,
  requestId: string,
  options: HttpAnswerOptions = {},
): void {
  const status = options.status ?? error.status;
  const body = JSON.stringify(errorBody(error, requestId));
  const headers: Record<string, string> = {
    Connection: 'close',
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
    ...(error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) }),
    ...error.headers,
    ...options.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  hangUp(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** Reads on until the peer hangs up too: unread bytes would make the system reset the connection and lose the answer. */
function hangUp(socket: Duplex, last: string): void {
  const cut = setTimeout(() => socket.destroy(), CLOSE_GRACE_MS);
  socket.once('close', () => clearTimeout(cut));
  socket.resume();
  socket.end(last);
}
