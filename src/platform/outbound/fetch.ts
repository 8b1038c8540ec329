import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type TLSSocket } from 'node:tls';
import { checkedAddresses, openPost, OutboundError, reasonOf, unlessAborted } from './connect';
import { resolveAny, resolvePublic, type Resolve } from './resolve';

export interface OutboundFetchOptions {
  readonly allowPrivate: boolean;
  /** Milliseconds for finding the name and connecting, TLS included. What comes after it is the caller's to time. */
  readonly connectMs: number;
  /** Most bytes of a success; one that is longer fails. */
  readonly maxBytes: number;
  /** Of an error's body no more is read. */
  readonly maxErrorBytes: number;
  /** For tests. */
  readonly resolve?: Resolve;
}

/** A `fetch` as far as clients of HTTP APIs need one: a POST with a text, answered by a stream. */
export type OutboundFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Statuses whose answers have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` for addresses that somebody else has chosen, under the same rules as OutboundSender: checked addresses only,
 * no redirect, a connection of its own. Rejects with an OutboundError, or with the reason of `init.signal`; when that is
 * aborted, the connection is gone at once, also in the middle of the answer.
 */
export function outboundFetch(options: OutboundFetchOptions): OutboundFetch {
  const resolve = options.resolve ?? (options.allowPrivate ? resolveAny : resolvePublic);
  return async (input, init = {}) => {
    if (typeof init.body !== 'string') throw new OutboundError('only a text can be posted');
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = { ...Object.fromEntries(new Headers(init.headers)), 'accept-encoding': 'identity' };
    const ended = new AbortController();
    const caller = init.signal ?? undefined;
    const signal = caller === undefined ? ended.signal : AbortSignal.any([ended.signal, caller]);
    const deadline = setTimeout(() => ended.abort(), options.connectMs);
    try {
      const addresses = await unlessAborted(signal, checkedAddresses(url, resolve, options.allowPrivate, signal));
      const request = openPost(url, addresses, { headers, body: init.body }, signal);
      whenConnected(request, url.protocol === 'https:', () => clearTimeout(deadline));
      const answer = await answerOf(request, init.body);
      return responseOf(answer, options);
    } catch (error) {
      caller?.throwIfAborted();
      if (ended.signal.aborted) throw new OutboundError(`no connection within ${options.connectMs} ms`);
      throw error instanceof OutboundError ? error : new OutboundError(reasonOf(error));
    } finally {
      clearTimeout(deadline);
    }
  };
}

function whenConnected(request: ClientRequest, isTls: boolean, then: () => void): void {
  request.once('socket', (socket) => {
    const ready = isTls ? 'secureConnect' : 'connect';
    if (socket.connecting || (isTls && !(socket as TLSSocket).encrypted)) socket.once(ready, then);
    else then();
  });
}

function answerOf(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // Later errors end the answer, which tells whoever reads it.
    request.on('error', reject);
    request.end(body);
  });
}

function responseOf(answer: IncomingMessage, { maxBytes, maxErrorBytes }: OutboundFetchOptions): Response {
  const status = answer.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const each of [value ?? []].flat()) headers.append(name, each);
  if (status < 200 || status > 599 || BODILESS.has(status)) {
    answer.destroy();
    if (BODILESS.has(status)) return new Response(null, { status, headers });
    throw new OutboundError(`the answer has the status ${status}`);
  }
  const isGood = status < 300;
  const body = Readable.from(isGood ? within(answer, maxBytes) : atMost(answer, maxErrorBytes), { objectMode: false });
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { status, headers });
}

async function* within(answer: IncomingMessage, max: number): AsyncGenerator<Buffer> {
  let left = max;
  // Leaving the loop destroys the answer and its connection.
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left < 0) throw new OutboundError(`the answer is longer than ${max} bytes`);
    yield chunk;
  }
}

async function* atMost(answer: IncomingMessage, max: number): AsyncGenerator<Buffer> {
  let left = max;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}
