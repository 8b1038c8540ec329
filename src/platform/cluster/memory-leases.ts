import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { type HeldKeys, Leases } from './ports';

interface Claim {
  readonly holder: string;
  readonly until: number;
}

/** One holder's hold, and those of the key's other holders: as a rule there are none. */
interface Hold {
  readonly holder: string;
  /** Whole milliseconds: those need no object each. */
  until: number;
  next: Hold | undefined;
}

/** Leases within one process. Expired ones do not count at once and are removed a few at a time by later writes. */
@Injectable()
export class MemoryLeases extends Leases {
  private readonly holds = new Map<string, Hold>();
  private readonly claims = new Map<string, Claim>();
  private readonly heldSweep = new Sweep(this.holds, (first, key) => this.prune(first, key));
  private readonly claimSweep = new Sweep(this.claims, (claim) => claim.until <= this.clock.monotonicMs());

  constructor(private readonly clock: Clock) {
    super();
  }

  /** Entries in memory, expired ones that were not swept yet included. */
  get size(): number {
    let size = this.claims.size;
    for (const first of this.holds.values()) size += listed(first).length;
    return size;
  }

  holdLease(key: string, holder: string, ttlMs: number): Promise<void> {
    this.heldSweep.step();
    const until = Math.ceil(this.clock.monotonicMs() + ttlMs);
    const first = this.holds.get(key);
    const known = found(first, (hold) => hold.holder === holder);
    if (known === undefined) this.holds.set(key, { holder, until, next: first });
    else known.until = until;
    return Promise.resolve();
  }

  dropLease(key: string, holder: string): Promise<void> {
    this.keep(key, (hold) => hold.holder !== holder);
    return Promise.resolve();
  }

  heldAmong(keys: readonly string[]): Promise<HeldKeys> {
    const now = this.clock.monotonicMs();
    const isHeld = (key: string): boolean => found(this.holds.get(key), ({ until }) => until > now) !== undefined;
    return Promise.resolve({ held: new Set(keys.filter(isHeld)), isComplete: true, isSettling: false });
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
  private prune(first: Hold, key: string): boolean {
    const now = this.clock.monotonicMs();
    if (first.next === undefined) return first.until <= now;
    this.keep(key, ({ until }) => until > now);
    return !this.holds.has(key);
  }

  /** Keeps those of the key's holds that fit. */
  private keep(key: string, fits: (hold: Hold) => boolean): void {
    const [first, ...others] = listed(this.holds.get(key)).filter(fits);
    if (first === undefined) {
      this.holds.delete(key);
      return;
    }
    let last = first;
    for (const hold of others) last = last.next = hold;
    last.next = undefined;
    this.holds.set(key, first);
  }
}

function found(first: Hold | undefined, fits: (hold: Hold) => boolean): Hold | undefined {
  let hold = first;
  while (hold !== undefined && !fits(hold)) hold = hold.next;
  return hold;
}

function listed(first: Hold | undefined): Hold[] {
  const holds: Hold[] = [];
  for (let hold = first; hold !== undefined; hold = hold.next) holds.push(hold);
  return holds;
}

/** Entries that one step looks at; above 1, so that sweeping outruns the growth that causes it. */
const ENTRIES_PER_STEP = 2;

/**
 * Removes dead entries of a map a few at a time, round and round, driven by the map's own writes: no timer, no pause
 * with many entries, and the dead never outnumber what was alive at one time by more than a constant factor.
 */
class Sweep<V> {
  private cursor: MapIterator<[string, V]> | undefined;

  constructor(
    private readonly map: Map<string, V>,
    private readonly isDead: (value: V, key: string) => boolean,
  ) {}

  /** Called once per write, before the write. */
  step(): void {
    for (let i = 0; i < ENTRIES_PER_STEP; i++) {
      this.cursor ??= this.map.entries();
      const { value, done } = this.cursor.next();
      if (done) {
        this.cursor = undefined;
        return;
      }
      const [key, entry] = value;
      if (this.isDead(entry, key)) this.map.delete(key);
    }
  }
}
