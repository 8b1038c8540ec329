import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError, errorBody, invalid } from '../../common/errors';
import { CLOSE_GRACE_MS } from './connection';

/** An upgrade as Node hands it over. */
export interface RawUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came with the request, beyond its end. */
  readonly head: Buffer;
}

/** For sockets that have no other listener of errors, so that a peer that resets does not end the process. */
export function destroyIt(this: Socket): void {
  this.destroy();
}

const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSIONS = ['13', '8'];

export interface HandshakeFault extends HttpAnswerOptions {
  readonly error: AppError;
}

/** What keeps a request from becoming a WebSocket at all: the answer can go over HTTP only. */
export function handshakeFault({ method, headers }: IncomingMessage): HandshakeFault | undefined {
  if (method !== 'GET')
    return { error: new AppError('METHOD_NOT_ALLOWED', 'A WebSocket is opened with GET'), headers: { Allow: 'GET' } };
  if (headers.host === undefined) return { error: invalid('Host', 'The Host header is required') };
  if (!VERSIONS.includes(headers['sec-websocket-version'] ?? ''))
    return {
      error: invalid('Sec-WebSocket-Version', 'Sec-WebSocket-Version must be 13'),
      status: 426,
      headers: { 'Sec-WebSocket-Version': VERSIONS.join(', '), Upgrade: 'websocket' },
    };
  if (!KEY.test(headers['sec-websocket-key'] ?? ''))
    return { error: invalid('Sec-WebSocket-Key', 'Sec-WebSocket-Key must be 16 bytes in base64') };
  return undefined;
}

/** More of an HTTP refusal than its error says. */
interface HttpAnswerOptions {
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

/**
 * Answers a request that offers to upgrade to something else (Java's HTTP client offers h2c by default) as if it had not:
 * with an upgrade listener Node parses no such request any further, so its bytes go in once more without the offer.
 */
export function serveAsRequest(server: Server, { request, socket, head }: RawUpgrade): void {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!/^(upgrade|http2-settings)$/i.test(name))
      lines.push(`${name}: ${withoutUpgrade(name, rawHeaders[i + 1] ?? '')}`);
  }
  // Node gives header values as latin1.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function withoutUpgrade(name: string, value: string): string {
  if (name.toLowerCase() !== 'connection') return value;
  const kept = value
    .split(',')
    .map((token) => token.trim())
    .filter((token) => !/^(upgrade|http2-settings)$/i.test(token));
  return kept.join(', ') || 'keep-alive';
}
