import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../common/time';
import { settingOf } from '../../platform/auth';
import { Every } from '../../platform/lifecycle';
import { describeError, Log } from '../../platform/logging';
import { ByUser, type Connection } from '../transport';
import { LeaseKeeper, presenceKey, TICK_MS } from './leases';

/**
 * The largest rooms that push presence, by tenant. A tenant's settings are renewed on its open connections alone, so the
 * limit is asked of one of them; the last user to leave is still announced, by what was known then.
 */
class RoomLimits {
  private readonly last = new LRUCache<string, number>({ max: 10_000 });

  constructor(private readonly open: ByUser<Connection>) {}

  /** The connection is over, and no longer among the open ones. */
  closed(connection: Connection): void {
    const { tenantId } = connection;
    if (this.open.anyOf(tenantId) === undefined) this.last.set(tenantId, limitOf(connection));
  }

  of(tenantId: string): number {
    const connection = this.open.anyOf(tenantId);
    return connection === undefined
      ? (this.last.get(tenantId) ?? settingOf(undefined, 'presence_room_limit'))
      : limitOf(connection);
  }
}

function limitOf({ caller }: Connection): number {
  return settingOf(caller.tenant, 'presence_room_limit');
}

/** A user whose last connection closed counts as online for so long: no client hears of a reconnect. */
export const OFFLINE_GRACE_MS = 5000;

/** A user of a tenant. */
export interface UserRef {
  readonly tenantId: string;
  readonly userId: string;
}

type UserHandler = (user: UserRef) => void;

interface Leaving {
  readonly user: UserRef;
  readonly since: number;
  /** The connection whose lease lasts through the grace. */
  readonly connectionId: string;
}

/**
 * The users with connections on this node, and those whose last one closed less than GRACE_MS ago.
 *
 * Invariant: `isHere` becomes true in the turn in which a connection opens, and false only in `tick`, never while a
 * connection is open.
 */
@Injectable()
export class LocalPresence {
  private readonly open = new ByUser<Connection>();
  /** In order of leaving, which is the order of being due, since the grace is the same for all. */
  private readonly leaving = new Map<string, Leaving>();
  private readonly roomLimits = new RoomLimits(this.open);
  private changedHandler: UserHandler = () => undefined;
  private lastClosedHandler: UserHandler = () => undefined;
  private readonly onClose = (connection: Connection): void => this.closed(connection);

  constructor(
    private readonly leases: LeaseKeeper,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Calls back when a user may have come or gone; whether they did, is for the handler to find out. */
  onChanged(handler: UserHandler): void {
    this.changedHandler = handler;
  }

  /** Calls back at once when a user's last connection here closes. */
  onLastClosed(handler: UserHandler): void {
    this.lastClosedHandler = handler;
  }

  opened(connection: Connection): void {
    if (!connection.isOpen) return;
    const { id, tenantId, userId } = connection;
    const wasHere = this.isHere(connection);
    const key = presenceKey(tenantId, userId);
    this.open.add(connection);
    const left = this.leaving.get(key);
    this.leaving.delete(key);
    this.settle(this.takeOver(key, id, left?.connectionId));
    connection.onClose(this.onClose);
    if (!wasHere) this.changedHandler({ tenantId, userId });
  }

  /** Whether the user has a connection on this node, or had one less than GRACE_MS ago. */
  isHere({ tenantId, userId }: UserRef): boolean {
    return this.open.has(tenantId, userId) || this.leaving.has(presenceKey(tenantId, userId));
  }

  /** Every user with a connection here; may be gone on with later. */
  *users(): Generator<UserRef, void> {
    for (const { tenantId, userId } of this.open.firsts()) yield { tenantId, userId };
  }

  /** The largest room of the tenant that pushes presence. */
  roomLimit(tenantId: string): number {
    return this.roomLimits.of(tenantId);
  }

  /** Lets those go whose grace is over. */
  @Every(TICK_MS, 'presence')
  async tick(): Promise<void> {
    const due = this.clock.monotonicMs() - OFFLINE_GRACE_MS;
    const gone: Leaving[] = [];
    for (const [key, leaving] of this.leaving) {
      if (leaving.since > due) break;
      this.leaving.delete(key);
      gone.push(leaving);
    }
    await Promise.all(gone.map((leaving) => this.letGo(leaving)));
  }

  private closed(connection: Connection): void {
    const { id, tenantId, userId } = connection;
    const key = presenceKey(tenantId, userId);
    this.open.delete(connection);
    this.roomLimits.closed(connection);
    if (this.open.has(tenantId, userId)) {
      this.settle(this.leases.release(key, id));
      return;
    }
    const user = { tenantId, userId };
    this.leaving.set(key, { user, since: this.clock.monotonicMs(), connectionId: id });
    this.settle(this.leases.linger(key, id, 2 * OFFLINE_GRACE_MS));
    this.lastClosedHandler(user);
  }

  private async letGo({ user, connectionId }: Leaving): Promise<void> {
    try {
      await this.leases.release(presenceKey(user.tenantId, user.userId), connectionId);
    } catch (error) {
      this.onError(error);
    }
    this.changedHandler(user);
  }

  /** The new lease first: between the two every node that looks would find the user offline. */
  private async takeOver(key: string, opened: string, left: string | undefined): Promise<void> {
    await this.leases.hold(key, opened);
    if (left !== undefined) await this.leases.release(key, left);
  }

  private settle(work: Promise<void>): void {
    work.catch((error: unknown) => this.onError(error));
  }

  /** A lease could not be made or given back: renewal and expiry mend it. */
  private onError(error: unknown): void {
    this.log.warn({ error: describeError(error) }, 'a presence lease failed');
  }
}
