import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Leases } from '../../platform/cluster';
import { Every } from '../../platform/lifecycle';

/** Without renewal a connection counts for so long: the time after which a crashed node's users are offline. */
export const PRESENCE_LEASE_MS = 75_000;
/** Between two ticks of each part of presence. */
export const TICK_MS = 500;
/** Every lease is renewed once in this time. */
export const RENEW_MS = 25_000;

/** After the death of a node each of its users is looked for within so long. */
const HURRY_MS = 2000;

/** The key that a user's connections hold. */
export function presenceKey(tenantId: string, userId: string): string {
  // Kept as long as the connection: joined it is in one piece, where a template would keep its parts as well.
  return ['presence', tenantId, userId].join(':');
}

/**
 * Holds a lease per open connection and renews them in slices. A lease that could not be made is made by its first
 * renewal.
 */
@Injectable()
export class LeaseKeeper {
  /** Connection id → key. */
  private readonly held = new Map<string, string>();
  private readonly batches: PeriodicBatches<[string, string]>;

  constructor(
    private readonly leases: Leases,
    clock: Clock,
  ) {
    this.batches = new PeriodicBatches(this.held, RENEW_MS, clock);
  }

  async hold(key: string, connectionId: string): Promise<void> {
    this.held.set(connectionId, key);
    await this.leases.holdLease(key, connectionId, PRESENCE_LEASE_MS);
  }

  /** Gives the lease back. */
  async release(key: string, connectionId: string): Promise<void> {
    this.held.delete(connectionId);
    await this.leases.dropLease(key, connectionId);
  }

  /** Lets the lease end by itself in `ms`, also if this process ends meanwhile. */
  async linger(key: string, connectionId: string, ms: number): Promise<void> {
    this.held.delete(connectionId);
    await this.leases.holdLease(key, connectionId, ms);
  }

  /** Renews as many leases as the time since the last call asks for. */
  @Every(TICK_MS, 'presence leases')
  async renew(): Promise<void> {
    await Promise.all(
      this.batches.take().map(([connectionId, key]) => this.leases.holdLease(key, connectionId, PRESENCE_LEASE_MS)),
    );
  }
}

/** Entries that may come and go while they are gone through, as those of a map may. */
export interface Entries<T> extends Iterable<T> {
  readonly size: number;
}

/**
 * Visits every entry of a collection once per period, a slice at each call, so that many entries cause no pause. What is
 * added during a round is visited at its end.
 */
export class PeriodicBatches<T> {
  private cursor: Iterator<T, unknown> | undefined;
  /** Visits that are due; the fraction is kept, so that a few entries are visited in time too. */
  private due = 0;
  private lastCall: number;
  /** Visits that are to be made in a hurry. */
  private hurried = 0;

  constructor(
    private readonly entries: Entries<T>,
    private readonly periodMs: number,
    private readonly clock: Clock,
  ) {
    this.lastCall = clock.monotonicMs();
  }

  /** Whatever is there now is visited within HURRY_MS. */
  hurry(): void {
    this.hurried = this.entries.size;
  }

  /** As many entries as the time since the last call asks for; each at most once. */
  take(): T[] {
    const now = this.clock.monotonicMs();
    const { size } = this.entries;
    const periodMs = this.hurried > 0 ? Math.min(HURRY_MS, this.periodMs) : this.periodMs;
    this.due = Math.min(size, this.due + (size * (now - this.lastCall)) / periodMs);
    this.lastCall = now;
    this.hurried = Math.max(0, this.hurried - Math.floor(this.due));
    const taken: T[] = [];
    for (; this.due >= 1; this.due--) {
      const entry = this.next() ?? this.next();
      if (entry !== undefined) taken.push(entry);
    }
    return taken;
  }

  /** undefined once at the end of each round. */
  private next(): T | undefined {
    this.cursor ??= this.entries[Symbol.iterator]();
    const next = this.cursor.next();
    if (next.done !== true) return next.value;
    this.cursor = undefined;
    return undefined;
  }
}
