import { Inject, Injectable } from '@nestjs/common';
import { Every } from '../../platform/lifecycle';
import { type Neighbours, RoomPositions } from '../feed';
import { ReconnectPacer, type Connection, type TurnTaker } from '../transport';
import { Announcer } from './announcer';
import { TICK_MS } from './leases';
import { LocalPresence, type UserRef } from './local-presence';
import { OnlineNeighbours, WorkShare } from './online-neighbours';
import { Presence } from './presence';
import { PresenceBoard } from './presence-board';
import { TenantConnections } from './tenant-connections';

/** Look-ups at once: a thousand connections at a time must not take the database from other work. */
const SNAPSHOTS_AT_ONCE = 4;
/** A look-up that took longer, in ms, is followed by a rest: most of what it read the next one reads again. */
const SHORT_MS = 50;
/** The rest, as a multiple of what the look-up took. */
const REST = 3;
const LONGEST_REST_MS = 2000;
/** Look-ups between two ticks that begin as soon as a connection comes. */
const LOOK_UPS = 4;
/** Connections whose users to tell of are looked up together where they wait. */
export const TOGETHER = 2000;
/** Users whose status a snapshot tells. */
export const SNAPSHOT_PEOPLE = 5000;
/** Members of rooms that one look-up reads, at most: those of a thousand rooms of a hundred. */
export const LOOK_UP_MEMBERSHIPS = 100_000;

const NOBODY: Neighbours = { rooms: [], later: [] };

/**
 * Sends each new connection its `presence.snapshot`, first come, first served within a tenant, tenants in turn; what
 * fails is tried again at a tick.
 */
@Injectable()
export class Snapshots {
  private readonly waiting = new TenantConnections();
  private running = 0;
  /** Since the last tick. */
  private lookUps = 0;

  /** Of the monotonic clock, in ms. */
  private restsUntil = -Infinity;

  private readonly turns: TurnTaker;

  constructor(
    private readonly positions: RoomPositions,
    private readonly presence: Presence,
    private readonly local: LocalPresence,
    private readonly board: PresenceBoard,
    private readonly announcer: Announcer,
    @Inject(ReconnectPacer) private readonly pacer: Pick<ReconnectPacer, 'queue' | 'now' | 'waiting'>,
  ) {
    this.turns = pacer.queue(SNAPSHOTS_AT_ONCE, 'presence');
  }

  request(connection: Connection): void {
    this.board.hold(connection);
    this.waiting.add(connection);
    // In a storm they gather for the next tick: most of what a look-up reads is the same for all of them.
    const mayBegin = (): boolean => this.lookUps < LOOK_UPS && !this.isResting && this.pacer.waiting() === 0;
    this.start(mayBegin).catch(() => undefined);
  }

  @Every(TICK_MS, 'presence snapshots')
  async tick(): Promise<void> {
    this.lookUps = 0;
    if (this.isResting) return;
    // Those who come while it works gather for the next one.
    let left = this.waiting.size;
    await this.start((served) => (left -= served) > 0);
  }

  private get isResting(): boolean {
    return this.pacer.now() < this.restsUntil;
  }

  /**
   * Works until no connection waits, or a look-up fails.
   * @param mayGoOn asked before each look-up, with how many connections the last one served
   */
  private async start(mayGoOn: (served: number) => boolean): Promise<void> {
    const { turns } = this;
    if (this.running >= SNAPSHOTS_AT_ONCE) return;
    this.running++;
    let served = 0;
    try {
      while (!this.waiting.isEmpty && mayGoOn(served) && (await turns.take(() => !this.waiting.isEmpty)))
        try {
          this.lookUps++;
          const began = this.pacer.now();
          served = await this.serve(this.next());
          const took = this.pacer.now() - began;
          if (took > SHORT_MS) this.restsUntil = began + took + Math.min(REST * took, LONGEST_REST_MS);
        } finally {
          turns.giveBack();
        }
    } finally {
      this.running--;
    }
  }

  /** Connections of the tenant whose turn it is. */
  private next(): readonly Connection[] {
    const taken = this.waiting.take(TOGETHER);
    for (const connection of taken) if (!connection.isOpen) this.board.release(connection);
    return taken.filter(({ isOpen }) => isOpen);
  }

  /** Returns how many of them do not wait any more. */
  private async serve(batch: readonly Connection[]): Promise<number> {
    const [first] = batch;
    if (first === undefined) return 0;
    try {
      return await this.tell(first.tenantId, batch);
    } catch (error) {
      for (const connection of batch) if (this.board.isHeld(connection)) this.waiting.add(connection);
      throw error;
    }
  }

  private async tell(tenantId: string, batch: readonly Connection[]): Promise<number> {
    for (const connection of batch) this.board.record(connection);
    const { rooms, later } = await this.neighboursOf(tenantId, batch);
    const share = new WorkShare();
    const online = await OnlineNeighbours.among(rooms, (ids) => this.presence.online(tenantId, ids), share);
    const foretold = await this.markUnheardOf(tenantId, online, share);
    const left = new Set(later);
    for (const connection of batch) {
      const { userId } = connection;
      if (left.has(userId)) continue;
      const cost = online.costOf(userId);
      await share.next(1 + cost);
      // One that is cut may not tell of all.
      if (cost <= SNAPSHOT_PEOPLE) foretold?.add(connection);
      this.board.release(connection, online.of(userId, SNAPSHOT_PEOPLE));
    }
    const unserved = batch.filter(({ userId }) => left.has(userId));
    this.waiting.putBack(unserved);
    return batch.length - unserved.length;
  }

  private async neighboursOf(tenantId: string, batch: readonly Connection[]): Promise<Neighbours> {
    const largest = this.local.roomLimit(tenantId);
    const users = [...new Set(batch.map(({ userId }) => userId))];
    if (largest < 2) return NOBODY;
    return this.positions.neighbours(tenantId, users, { largest, memberships: LOOK_UP_MEMBERSHIPS });
  }

  /**
   * This node missed the hint of those whom it does not know as online: it started later, or the hint was lost. Marked
   * before the snapshots: where that is announced while a connection waits for its own, it goes into it. Where it comes later,
   * it is not for those who have theirs: returns where to note them; undefined: there is no such user.
   */
  private async markUnheardOf(
    tenantId: string,
    online: OnlineNeighbours,
    share: WorkShare,
  ): Promise<Set<Connection> | undefined> {
    const unheardOf: UserRef[] = [];
    for (const userId of online.all()) {
      // One microtask each would be most of the cost.
      const pause = share.next(1);
      if (pause !== undefined) await pause;
      const user = { tenantId, userId };
      if (this.board.knowsOnline(user)) continue;
      unheardOf.push(user);
      this.announcer.mark(user);
    }
    // Of those who were announced meanwhile, connections that wait have heard.
    const unknown = unheardOf.filter((user) => !this.board.knowsOnline(user));
    return unknown.length === 0 ? undefined : this.board.foretell(unknown);
  }
}
