import type { Clock } from '../../common/clock';
import { Leases } from './leases';
import { Sweep } from './sweep';

interface Claim {
  readonly holder: string;
  readonly until: number;
}

/** Leases within one process. Expired ones do not count at once and are removed a few at a time by later writes. */
export class MemoryLeases extends Leases {
  /** Key → holder → the monotonic time at which the hold ends. */
  private readonly holds = new Map<string, Map<string, number>>();
  private readonly claims = new Map<string, Claim>();
  private readonly heldSweep = new Sweep(this.holds, (holders) => this.prune(holders));
  private readonly claimSweep = new Sweep(this.claims, (claim) => claim.until <= this.clock.monotonicMs());

  constructor(private readonly clock: Clock) {
    super();
  }

  /** Entries in memory, expired ones that were not swept yet included. */
  get size(): number {
    let size = this.claims.size;
    for (const holders of this.holds.values()) size += holders.size;
    return size;
  }

  hold(key: string, holder: string, ttlMs: number): Promise<void> {
    this.heldSweep.step();
    let holders = this.holds.get(key);
    if (!holders) this.holds.set(key, (holders = new Map<string, number>()));
    holders.set(holder, this.clock.monotonicMs() + ttlMs);
    return Promise.resolve();
  }

  drop(key: string, holder: string): Promise<void> {
    const holders = this.holds.get(key);
    if (holders?.delete(holder) && holders.size === 0) this.holds.delete(key);
    return Promise.resolve();
  }

  alive(keys: readonly string[]): Promise<Set<string>> {
    const now = this.clock.monotonicMs();
    const isHeld = (key: string): boolean => [...(this.holds.get(key)?.values() ?? [])].some((until) => until > now);
    return Promise.resolve(new Set(keys.filter(isHeld)));
  }

  claim(key: string, holder: string, ttlMs: number): Promise<boolean> {
    this.claimSweep.step();
    const claim = this.liveClaim(key);
    const free = claim === undefined || claim.holder === holder;
    if (free) this.claims.set(key, { holder, until: this.clock.monotonicMs() + ttlMs });
    return Promise.resolve(free);
  }

  renewClaim(key: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.liveClaim(key)?.holder === holder ? this.claim(key, holder, ttlMs) : Promise.resolve(false);
  }

  unclaim(key: string, holder: string): Promise<void> {
    if (this.claims.get(key)?.holder === holder) this.claims.delete(key);
    return Promise.resolve();
  }

  private liveClaim(key: string): Claim | undefined {
    const claim = this.claims.get(key);
    return claim && claim.until > this.clock.monotonicMs() ? claim : undefined;
  }

  /** Removes the ended holds of one key; true when none is left. */
  private prune(holders: Map<string, number>): boolean {
    const now = this.clock.monotonicMs();
    for (const [holder, until] of holders) if (until <= now) holders.delete(holder);
    return holders.size === 0;
  }
}
