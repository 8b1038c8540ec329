import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import {
  checkedAddresses,
  openPost,
  OutboundError,
  outboundReasonOf,
  type Resolve,
  resolveAny,
  resolvePublic,
  unlessAborted,
} from './connect';

export interface OutboundPostOptions {
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

export interface StreamRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** When it is aborted, the connection is gone at once, also in the middle of the answer. */
  readonly signal: AbortSignal;
}

/** An answer as it comes. A reader that leaves its body ends the connection. */
export interface StreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Buffer>;
}

/** A POST that is answered by a stream. */
export type OutboundPost = (url: string, request: StreamRequest) => Promise<StreamAnswer>;

/**
 * A POST to addresses that a tenant has chosen, under the same rules as OutboundSender: checked addresses only, no
 * redirect, a connection of its own. Rejects with an OutboundError, or with the reason of the request's signal.
 */
export function outboundPost(options: OutboundPostOptions): OutboundPost {
  const resolve = options.resolve ?? (options.allowPrivate ? resolveAny : resolvePublic);
  return async (address, { body, signal: caller, ...rest }) => {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, caller]);
    const deadline = setTimeout(() => ended.abort(), options.connectMs);
    try {
      const url = new URL(address);
      const headers = { ...rest.headers, 'accept-encoding': 'identity' };
      const addresses = await unlessAborted(signal, checkedAddresses(url, resolve, options.allowPrivate, signal));
      const request = openPost(url, addresses, { headers, body }, signal);
      whenConnected(request, url.protocol === 'https:', () => clearTimeout(deadline));
      return streamOf(await answerOf(request, body), options);
    } catch (error) {
      caller.throwIfAborted();
      if (ended.signal.aborted) throw new OutboundError(`no connection within ${options.connectMs} ms`);
      throw error instanceof OutboundError ? error : new OutboundError(outboundReasonOf(error));
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
    // Later errors end the answer, which tells its reader.
    request.on('error', reject);
    request.end(body);
  });
}

function streamOf(answer: IncomingMessage, { maxBytes, maxErrorBytes }: OutboundPostOptions): StreamAnswer {
  const { headers, statusCode: status = 0 } = answer;
  const isGood = status >= 200 && status < 300;
  return { status, headers, body: isGood ? within(answer, maxBytes) : atMost(answer, maxErrorBytes) };
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
