import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import { addressGroup } from '../../common/text';
import { BadCredential, type CallSource } from '../auth';
import { Counters, type CounterState } from '../cluster';
import { Log } from '../logging';
import { Metrics } from '../metrics';
import { type RateLimitCode, refuseBeyond } from './window';

const WINDOW_MS = 60_000;
/** Failures in a window that are answered as what they are. */
const MOST = 20;

/**
 * Counts credentials that were no good, so that a client that guesses is told to stop and the operator hears of it, once.
 *
 * Invariants
 * - Counted is what is no credential of this installation: a wrong master key; a key that is malformed, unknown or revoked;
 *   a token or ticket that was not signed here. A token that has expired was good: its holder gets a new one, and is 401.
 * - A failure counts for its address (IPv6: its /64), and a key's also for its readable prefix, from every address. The
 *   master key has a window of its own per address. Beyond 20 a minute in one of them the answer is 429 instead of 401.
 * - A good credential is never asked here: it is proven first, and failures of other clients at its address do not count.
 * - An address beyond its window counts no more prefixes, so that a flood of different keys takes no memory.
 */
@Injectable()
export class FailedCredentials {
  constructor(
    private readonly counters: Counters,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** What a bad credential is answered with: itself, or 429. Where the counters are away it is itself. */
  async refusal(
    bad: BadCredential,
    source: CallSource,
    code: RateLimitCode = 'RATE_LIMIT_EXCEEDED',
  ): Promise<AppError> {
    const { guess } = bad;
    if (guess === undefined) return bad;
    const address = addressGroup(source.ip);
    const isMaster = bad.kind === 'master';
    try {
      await this.count(`bad:${isMaster ? 'master' : 'tenant'}:${address}`, code, { address, kind: bad.kind });
      if (guess.prefix !== undefined) await this.count(`bad:prefix:${guess.prefix}`, code, { prefix: guess.prefix });
      return bad;
    } catch (error) {
      if (!(error instanceof AppError)) return bad;
      this.metrics.counter('chatapi_rate_limited_total').labels({ family: 'credentials' }).inc();
      return error;
    }
  }

  private async count(key: string, code: RateLimitCode, about: Record<string, string>): Promise<void> {
    const state: CounterState = await this.counters.take(key, WINDOW_MS, MOST);
    if (state.count === MOST + 1)
      this.log.warn({ ...about, most: MOST }, 'too many bad credentials in a minute: refused with 429 until it ends');
    refuseBeyond(MOST, state, code);
  }
}
