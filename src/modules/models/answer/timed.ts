import { ChannelFault } from '../providers/chat-model';

/** How long a provider may be silent, in milliseconds. */
export interface Patience {
  /** Until the connection stands; see outboundPost. */
  readonly connectMs: number;
  /** From the request to the first sign of life in the answer. */
  readonly firstTokenMs: number;
  /** Between two of them. */
  readonly betweenMs: number;
}

export const PATIENCE: Patience = { connectMs: 5000, firstTokenMs: 30_000, betweenMs: 30_000 };

/**
 * Reads a stream that may fall silent at any point; `begin` gets the signal that ends it. Throws a ChannelFault when a
 * deadline passes, and the reason of the caller's signal when that is aborted: at once, whatever the stream does. The
 * silence of whoever reads does not count.
 */
export async function* timed<T>(
  begin: (signal: AbortSignal) => AsyncIterable<T>,
  caller: AbortSignal,
  patience: Pick<Patience, 'firstTokenMs' | 'betweenMs'>,
  totalMs: number,
): AsyncGenerator<T> {
  caller.throwIfAborted();
  const ended = new AbortController();
  const give = (): void => ended.abort(caller.reason);
  caller.addEventListener('abort', give, { once: true });
  const total = setTimeout(() => ended.abort(new ChannelFault(`took longer than ${seconds(totalMs)}`)), totalMs);
  const iterator = begin(ended.signal)[Symbol.asyncIterator]();
  try {
    let waitMs = patience.firstTokenMs;
    for (;;) {
      const next = await within(iterator.next(), ended, waitMs);
      if (next.done === true) return;
      waitMs = patience.betweenMs;
      yield next.value;
    }
  } finally {
    clearTimeout(total);
    caller.removeEventListener('abort', give);
    // Also when the reader leaves, or the stream has failed half-way: nothing may stay open.
    ended.abort();
    iterator.return?.().catch(() => undefined);
  }
}

/** The next step, or the reason of the end, whichever comes first; after `ms` of silence it ends. */
function within<T>(step: Promise<T>, ended: AbortController, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const { signal } = ended;
    const timer = setTimeout(() => ended.abort(new ChannelFault(`said nothing for ${seconds(ms)}`)), ms);
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    // Does not wait for the step: a stream need not heed its signal.
    const abort = (): void => {
      settle();
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    step.then(resolve, reject).finally(settle);
  });
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
