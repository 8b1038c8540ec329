import { ChannelFault } from '../providers/chat-model';

/** Milliseconds until a connection stands; see outboundPost. */
export const CONNECT_MS = 5000;
/** What may follow the last word of an answer, an account of it, is waited for so long. */
const ACCOUNT_MS = 2000;

/** How long a provider may be silent, in milliseconds. */
export interface Timeouts {
  /** From the request to the first sign of life in the answer. */
  readonly firstMs: number;
  /** Between two of them. */
  readonly idleMs: number;
  /** For the whole answer. */
  readonly totalMs: number;
}

/**
 * Reads a stream that may fall silent at any point; `begin` gets the signal that ends it, and a function to call at every
 * sign of life between two steps. Throws a ChannelFault when a deadline passes, and the reason of the caller's signal when
 * that is aborted: at once, whatever the stream does. The silence of whoever reads does not count.
 * @param isLast a step after which only an account may follow: the stream is over soon, however it ends
 */
export async function* timed<T>(
  begin: (signal: AbortSignal, sign: () => void) => AsyncIterable<T>,
  caller: AbortSignal,
  timeouts: Timeouts,
  isLast: (step: T) => boolean = () => false,
): AsyncGenerator<T> {
  caller.throwIfAborted();
  const watch = new Watch(caller, timeouts);
  const iterator = begin(watch.ended.signal, () => watch.sign())[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await watch.wait(iterator.next());
      if (next === undefined || next.done === true) return;
      watch.sign();
      if (isLast(next.value)) watch.last();
      yield next.value;
    }
  } finally {
    watch.close();
    // Also when the reader leaves, or the stream has failed half-way: nothing may stay open.
    iterator.return?.().catch(() => undefined);
  }
}

/** The deadlines of one stream: one timer for silence, which is put off, and one for the whole. */
class Watch {
  readonly ended = new AbortController();
  private silence: NodeJS.Timeout;
  private readonly total: NodeJS.Timeout;
  private phase: 'first' | 'idle' | 'account' | 'over' = 'first';
  /** Of the step that is waited for. */
  private waiting: { readonly over: () => void; readonly fail: (reason: unknown) => void } | undefined;

  constructor(
    private readonly caller: AbortSignal,
    private readonly timeouts: Timeouts,
  ) {
    const { firstMs, totalMs } = timeouts;
    this.silence = setTimeout(() => this.silent(firstMs), firstMs);
    this.total = setTimeout(() => this.end(new ChannelFault(`took longer than ${seconds(totalMs)}`, TIMEOUT)), totalMs);
    caller.addEventListener('abort', this.give, { once: true });
  }

  sign(): void {
    if (this.phase === 'idle') this.silence.refresh();
    else if (this.phase === 'first') {
      this.phase = 'idle';
      const { idleMs } = this.timeouts;
      clearTimeout(this.silence);
      this.silence = setTimeout(() => this.silent(idleMs), idleMs);
    }
  }

  last(): void {
    if (this.phase === 'account' || this.phase === 'over') return;
    this.phase = 'account';
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.phase = 'over';
      this.ended.abort();
      this.waiting?.over();
    }, ACCOUNT_MS);
  }

  /** The step; undefined when it is not waited for any longer, since all has been said. */
  wait<V>(step: Promise<V>): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      // Does not wait for the step: a stream need not heed its signal.
      this.waiting = { over: () => resolve(undefined), fail: reject };
      if (this.phase === 'over') resolve(undefined);
      else if (this.ended.signal.aborted) reject(this.ended.signal.reason as Error);
      else if (this.phase !== 'account') this.silence.refresh();
      step.then(resolve, reject).finally(() => (this.waiting = undefined));
    });
  }

  close(): void {
    clearTimeout(this.total);
    clearTimeout(this.silence);
    this.caller.removeEventListener('abort', this.give);
    this.ended.abort();
  }

  private readonly give = (): void => this.end(this.caller.reason);

  private silent(ms: number): void {
    if (this.waiting === undefined) this.silence.refresh();
    else this.end(new ChannelFault(`said nothing for ${seconds(ms)}`, TIMEOUT));
  }

  private end(reason: unknown): void {
    this.ended.abort(reason);
    this.waiting?.fail(reason);
  }
}

const TIMEOUT = { reason: 'timeout' } as const;

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
