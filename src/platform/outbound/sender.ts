import type { IncomingMessage } from 'node:http';
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

export interface OutboundRequest {
  /** http or https; credentials in it are not sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Gives up; the promise then rejects. */
  readonly signal: AbortSignal;
}

export interface OutboundAnswer {
  readonly status: number;
  /** The header, as it came. */
  readonly retryAfter: string | undefined;
  /** At most `maxBytes` of the body; what follows is not read. */
  readonly body: Buffer;
}

export interface OutboundOptions {
  readonly allowPrivate: boolean;
  /** Milliseconds for everything: finding the name, connecting, sending, reading. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** For tests. */
  readonly resolve?: Resolve;
}

/**
 * Posts to addresses that a tenant has chosen.
 *
 * Invariants: the name is resolved once, every address that it has is checked, and the connection is made to one of the
 * checked addresses: a name that changes its mind in between changes nothing. No redirect is followed, no connection is
 * used again, nothing of a proxy in the environment is used. All of it ends at one deadline, however slowly bytes come.
 */
export class OutboundSender {
  private readonly resolve: Resolve;

  constructor(private readonly options: OutboundOptions) {
    this.resolve = options.resolve ?? (options.allowPrivate ? resolveAny : resolvePublic);
  }

  /** Rejects with an OutboundError when there is no whole answer in time, or there must not be a question. */
  async post(request: OutboundRequest): Promise<OutboundAnswer> {
    const ended = new AbortController();
    const deadline = setTimeout(() => ended.abort(), this.options.timeoutMs);
    const signal = AbortSignal.any([ended.signal, request.signal]);
    try {
      return await unlessAborted(signal, this.ask(new URL(request.url), request, signal));
    } catch (error) {
      if (request.signal.aborted) throw new OutboundError('given up');
      if (ended.signal.aborted) throw new OutboundError(`no whole answer within ${this.options.timeoutMs} ms`);
      throw error instanceof OutboundError ? error : new OutboundError(outboundReasonOf(error));
    } finally {
      clearTimeout(deadline);
      ended.abort();
    }
  }

  private async ask(url: URL, request: OutboundRequest, signal: AbortSignal): Promise<OutboundAnswer> {
    const addresses = await checkedAddresses(url, this.resolve, this.options.allowPrivate, signal);
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const sent = openPost(url, addresses, request, signal);
      sent.on('error', reject);
      sent.on('response', (answer) => {
        this.read(answer).then(resolve, reject);
      });
      sent.end(request.body);
    });
  }

  private async read(answer: IncomingMessage): Promise<OutboundAnswer> {
    const chunks: Buffer[] = [];
    let left = this.options.maxBytes;
    // Leaving the loop destroys the answer and its connection.
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) break;
    }
    return { status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'], body: Buffer.concat(chunks) };
  }
}
