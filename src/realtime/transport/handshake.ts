import type { IncomingMessage } from 'node:http';
import { AppError, invalid } from '../../common/errors';
import type { HttpAnswerOptions } from './raw-upgrade';

const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSIONS = ['13', '8'];

export interface HandshakeFault extends HttpAnswerOptions {
  readonly error: AppError;
}

/** What keeps a request from becoming a WebSocket at all: it can be told over HTTP only. */
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
