import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Bus, type Topic, type Unsubscribe } from '../../platform/cluster';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Stat } from '../../platform/metrics';
import { Audience } from '../feed';
import { type Connection, type Frame, FrameBatches, toWire } from '../transport';
import { type Entries, PeriodicBatches, presenceKey, RENEW_MS } from './leases';
import { LocalPresence, type UserRef } from './local-presence';
import type { OnlineUsers } from './online-neighbours';

/** That a user came or went, for every node. */
interface PresenceChange extends UserRef {
  readonly kind: 'change';
  readonly online: boolean;
  /** The user's rooms whose members hear of it. */
  readonly rooms: readonly string[];
}

/** Whoever has users is to say so. */
interface RosterAsk {
  readonly kind: 'ask';
  /** A node; undefined: all. */
  readonly of?: string;
}

/** Some of the users that the node has. */
export interface RosterHint {
  readonly kind: 'roster';
  readonly tenantId: string;
  readonly userIds: readonly string[];
}

type PresenceHint = PresenceChange | RosterAsk | RosterHint;

export const PRESENCE_HINTS: Topic<PresenceHint> = 'presence';

/** Users of all tenants: a set entry each. */
class Users implements Entries<UserRef> {
  private readonly tenants = new Map<string, Set<string>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  sizeOf(tenantId: string): number {
    return this.tenants.get(tenantId)?.size ?? 0;
  }

  has({ tenantId, userId }: UserRef): boolean {
    return this.tenants.get(tenantId)?.has(userId) === true;
  }

  /** Not to be called with a user that is in it. */
  add({ tenantId, userId }: UserRef): void {
    this.tenants.set(tenantId, (this.tenants.get(tenantId) ?? new Set()).add(userId));
    this.count++;
  }

  delete({ tenantId, userId }: UserRef): void {
    const users = this.tenants.get(tenantId);
    if (users?.delete(userId) !== true) return;
    this.count--;
    if (users.size === 0) this.tenants.delete(tenantId);
  }

  *[Symbol.iterator](): Generator<UserRef, void> {
    for (const [tenantId, users] of this.tenants) for (const userId of users) yield { tenantId, userId };
  }
}

/**
 * What the clients of this node are told about users.
 *
 * Invariants: a user's updates alternate between online and offline; no client hears "offline" of a user that is on this
 * node; a connection whose snapshot is being made hears nothing, its changes go into the snapshot; one that is not live in the
 * room that it shares, since that is synced just now, is told all the same: nothing would tell it later.
 */
@Injectable()
export class PresenceBoard {
  /** Users that are online as far as this node has heard, on all nodes. */
  private readonly online = new Users();
  private readonly batches: PeriodicBatches<UserRef>;
  /** Connections that wait for their snapshot: what changed since its look-up began, by user. */
  private readonly held = new Map<Connection, Map<string, boolean> | undefined>();

  /** Users of whom only snapshots have told that they are online, with the connections that got these. */
  private readonly foretold = new Map<string, { readonly user: UserRef; readonly told: ReadonlySet<Connection>[] }>();

  private readonly unlisten: Unsubscribe;
  private changedHandler: (user: UserRef) => void = () => undefined;

  constructor(
    private readonly bus: Bus,
    private readonly audience: Audience,
    private readonly local: LocalPresence,
    @Inject(FrameBatches) private readonly frames: Pick<FrameBatches, 'encode'>,
    clock: Clock,
  ) {
    this.batches = new PeriodicBatches(this.online, RENEW_MS, clock);
    this.unlisten = bus.subscribe(PRESENCE_HINTS, ({ payload }) => {
      if (payload.kind === 'change') this.take(payload);
    });
  }

  @OnStop(StopStage.workers)
  end(): void {
    this.unlisten();
  }

  /** Users that are online on any node, in all or of one tenant, as far as this node has heard. */
  @Stat('online')
  count(tenantId?: string): number {
    return tenantId === undefined ? this.online.size : this.online.sizeOf(tenantId);
  }

  knowsOnline(user: UserRef): boolean {
    return this.online.has(user);
  }

  /** Whether clients here were told that the user is online, by an update or by snapshots alone. */
  hasTold(user: UserRef): boolean {
    return this.online.has(user) || this.foretold.has(presenceKey(user.tenantId, user.userId));
  }

  /**
   * Snapshots are about to tell of these users, none of whom is known as online. Who gets one is to be added to the answer:
   * the update that follows is not for them.
   */
  foretell(users: Iterable<UserRef>): Set<Connection> {
    const told = new Set<Connection>();
    for (const user of users) {
      const key = presenceKey(user.tenantId, user.userId);
      const known = this.foretold.get(key);
      if (known === undefined) this.foretold.set(key, { user, told: [told] });
      else known.told.push(told);
    }
    return told;
  }

  /** Calls back when what is known of a user changes. */
  onChanged(handler: (user: UserRef) => void): void {
    this.changedHandler = handler;
  }

  /**
   * Some of the users on other nodes that are known as online: their nodes may have crashed, or hints were lost. With them all
   * of whom only snapshots have told.
   */
  toVerify(): UserRef[] {
    const known = this.batches.take().filter((user) => !this.local.isHere(user));
    return [...known, ...[...this.foretold.values()].map(({ user }) => user)];
  }

  /** A node is gone: those of its users that are known as online are looked at soon. */
  hurry(): void {
    this.batches.hurry();
  }

  /** Whether its snapshot has not been sent. */
  isHeld(connection: Connection): boolean {
    return this.held.has(connection);
  }

  /** Keeps updates from the connection until its snapshot. */
  hold(connection: Connection): void {
    if (!this.held.has(connection)) this.held.set(connection, undefined);
  }

  /** Its look-up begins: what is heard from now on goes into its snapshot. What was before, the look-up will see. */
  record(connection: Connection): void {
    if (this.held.has(connection)) this.held.set(connection, new Map());
  }

  /**
   * Sends which of these users are online, with what changed since `hold`; without an argument the hold just ends.
   * Nothing where the connection is not held.
   */
  release(connection: Connection, online?: OnlineUsers): void {
    const changes = this.held.get(connection);
    if (!this.held.delete(connection) || online === undefined || !connection.isOpen) return;
    const users =
      changes === undefined || changes.size === 0
        ? online.json()
        : JSON.stringify(changed(online.ids(), changes)).slice(1, -1);
    connection.sendFrame(this.frames.encode(presenceSnapshot(users)));
  }

  private take(hint: PresenceChange): void {
    const isHere = this.local.isHere(hint);
    if (isHere && !hint.online) {
      // Another node looked at the leases before this node's was there: set all nodes right.
      this.bus.publish(PRESENCE_HINTS, { ...hint, online: true });
      return;
    }
    const key = presenceKey(hint.tenantId, hint.userId);
    const foretold = this.foretold.get(key);
    const isKnown = hint.online === this.online.has(hint);
    if (isKnown && foretold === undefined) return;
    this.foretold.delete(key);
    if (hint.online) this.online.add(hint);
    else this.online.delete(hint);
    this.changedHandler(hint);
    const listeners = this.listeners(hint);
    for (const connection of listeners) {
      const wasTold = foretold?.told.some((told) => told.has(connection)) === true;
      if (wasTold ? hint.online : isKnown) listeners.delete(connection);
    }
    this.tell(listeners, hint);
  }

  private listeners({ tenantId, userId, rooms }: PresenceChange): Set<Connection> {
    const listeners = new Set<Connection>();
    for (const roomId of rooms)
      for (const connection of this.audience.allMembers(tenantId, roomId))
        if (connection.userId !== userId) listeners.add(connection);
    return listeners;
  }

  private tell(listeners: ReadonlySet<Connection>, { userId, online }: PresenceChange): void {
    if (listeners.size === 0) return;
    const frame = toWire(presenceUpdate(userId, online ? 'online' : 'offline'));
    for (const connection of listeners) {
      if (this.held.has(connection)) this.held.get(connection)?.set(userId, online);
      else connection.sendEphemeral(`presence:${userId}`, frame);
    }
  }
}

type PresenceStatus = 'online' | 'offline';

/** A change of a user's status, sent once per connection that may know of it. */
function presenceUpdate(userId: string, status: PresenceStatus): Frame {
  return { type: 'presence.update', user_id: userId, status };
}

/**
 * Which users are online at the beginning of a connection.
 * @param users as elements of a JSON array
 */
function presenceSnapshot(users: string): string {
  return `{"type":"presence.snapshot","user_ids":[${users}]}`;
}

function changed(online: readonly string[], changes: ReadonlyMap<string, boolean>): string[] {
  const now = new Set(online);
  for (const [userId, isOnline] of changes) {
    if (isOnline) now.add(userId);
    else now.delete(userId);
  }
  return [...now];
}
