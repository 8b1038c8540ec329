import type { Server } from 'node:http';
import type { RawUpgrade } from './acceptor';

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
