import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Leases } from '../../platform/cluster';
import { Every } from '../../platform/lifecycle';
import { Rounds } from './rounds';

/** Without renewal a connection counts for so long: the time after which a crashed node's users are offline. */
export const PRESENCE_LEASE_MS = 75_000;
/** Between two ticks of each part of presence. */
export const TICK_MS = 500;
/** Every lease is renewed once in this time. */
export const RENEW_MS = 25_000;

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
  private readonly rounds: Rounds<[string, string]>;

  constructor(
    private readonly leases: Leases,
    clock: Clock,
  ) {
    this.rounds = new Rounds(this.held, RENEW_MS, clock);
  }

  async hold(key: string, connectionId: string): Promise<void> {
    this.held.set(connectionId, key);
    await this.leases.hold(key, connectionId, PRESENCE_LEASE_MS);
  }

  /** Gives the lease back. */
  async release(key: string, connectionId: string): Promise<void> {
    this.held.delete(connectionId);
    await this.leases.drop(key, connectionId);
  }

  /** Lets the lease end by itself in `ms`, also if this process ends meanwhile. */
  async linger(key: string, connectionId: string, ms: number): Promise<void> {
    this.held.delete(connectionId);
    await this.leases.hold(key, connectionId, ms);
  }

  /** Renews as many leases as the time since the last call asks for. */
  @Every(TICK_MS, 'presence leases')
  async renew(): Promise<void> {
    await Promise.all(
      this.rounds.take().map(([connectionId, key]) => this.leases.hold(key, connectionId, PRESENCE_LEASE_MS)),
    );
  }
}
