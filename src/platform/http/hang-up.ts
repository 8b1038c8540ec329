import type { IncomingMessage, Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Lifecycle } from '../lifecycle';

/** What is left of a smaller body is read, and the connection kept. */
const DRAINED_BYTES = 64 * 1024;
/** After an answer that hangs up: so much more is taken, for so long, before the connection is cut. */
const LINGER_BYTES = 256 * 1024;
const LINGER_MS = 2000;
/** A client that keeps a connection alive and writes on it has asked again by then. */
const LAST_REQUESTS_MS = 300;
const SWEEP_MS = 1000;

/**
 * How connections end without losing an answer.
 *
 * Invariants
 * - An answer that comes before the body was read (every refusal of the gate, 404, 413, 415, a GET with a body) reads no
 *   more than 64 KB of it: beyond that it says `Connection: close`. The answer is flushed, our half is closed, and the
 *   connection is cut when the peer has closed too, at the latest after two seconds: cutting at once would have the
 *   system reset it, since bytes are unread, and a client that is still writing would lose the answer.
 * - From the stop on every answer says `Connection: close` (in the drain delay, too: its next request may go to another
 *   server), so whatever is still open and idle a moment later has asked nothing since. Only then it is closed, and only right after the event loop has read what had come.
 */
export function installHangUps(fastify: FastifyInstance, lifecycle: Lifecycle): void {
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const isUnread = hasMuchUnread(request.raw);
    if (isUnread) lingerAfterAnswer(request.raw);
    if (isUnread || lifecycle.stopping) reply.header('Connection', 'close');
    done();
  });
}

function hasMuchUnread(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > DRAINED_BYTES;
}

/** Node calls `destroySoon` when the last answer of a connection is handed over. */
function lingerAfterAnswer(request: IncomingMessage): void {
  const { socket } = request;
  request.pause();
  socket.destroySoon = (): void => {
    let left = LINGER_BYTES;
    const cut = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(cut));
    request.once('end', () => socket.destroy());
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) request.pause();
    });
    request.resume();
    socket.end();
  };
}

/**
 * Stops listening, lets requests that run or are on their way be answered, and resolves when no connection is left.
 * @param graceMs after which all connections are cut
 */
export async function drainConnections(server: Server, graceMs: number): Promise<void> {
  const closeIdle = (): void => void setImmediate(() => server.closeIdleConnections());
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  let sweep: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    closeIdle();
    // Answers that were on their way when the stop began did not say `Connection: close`.
    sweep = setInterval(closeIdle, SWEEP_MS);
  }, LAST_REQUESTS_MS);
  try {
    // In the turn in which the loop has accepted the connections in wait: the system resets those left in the backlog.
    await new Promise((resolve) => setImmediate(resolve));
    // Not http's own close: that one cuts idle connections at once, also one on which a request is on its way.
    await new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
  } finally {
    clearTimeout(first);
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
