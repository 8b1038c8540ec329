import { unavailable } from '../../../common/errors';
import type { Appended, NewMessage } from './item';

/** About what an empty message costs in memory. */
const BASE_BYTES = 512;

/** A message in the appender, with whoever waits for it; the caller is answered once, in time, whatever happens. */
export class Pending {
  /** Monotonic time of arrival, in ms. */
  readonly since = performance.now();
  /** About what it costs in memory. */
  readonly bytes: number;
  /** A call that may have stored it has been made; whether it did is not known before the log says so. */
  tried = false;
  private done = false;
  private readonly overdue: NodeJS.Timeout;

  constructor(
    readonly message: NewMessage,
    answerMs: number,
    private readonly onResult: (result: Appended) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.bytes = BASE_BYTES + 2 * (message.content.length + (message.metaText?.length ?? 0));
    this.overdue = setTimeout(() => this.giveUp(), answerMs);
  }

  /** The caller was told already: nobody waits for the message, and what has not been written must not be. */
  get answered(): boolean {
    return this.done;
  }

  resolve(result: Appended): void {
    if (this.end()) this.onResult(result);
  }

  reject(error: unknown): void {
    if (this.end()) this.onError(error);
  }

  private giveUp(): void {
    this.reject(unavailable('The database did not answer in time', { outcome: this.tried ? 'unknown' : 'none' }));
  }

  private end(): boolean {
    if (this.done) return false;
    this.done = true;
    clearTimeout(this.overdue);
    return true;
  }
}
