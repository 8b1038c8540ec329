import { Injectable } from '@nestjs/common';
import { Bus } from '../../platform/cluster';
import { Every } from '../../platform/lifecycle';
import { TICK_MS } from './leases';
import { LocalPresence, type UserRef } from './local-presence';
import { WorkShare } from './online-neighbours';
import { Presence } from './presence';
import { PRESENCE_HINTS, PresenceBoard } from './presence-board';

/** Which rooms users share with other users. The rooms module implements it. */
export abstract class SharedRooms {
  /** Per user, their rooms of 2 to `largest` members; a user that has none may be missing. */
  abstract of(
    tenantId: string,
    userIds: readonly string[],
    largest: number,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** Users per look-up. */
const BATCH = 200;
/** Look-ups per tenant between two ticks. In a storm of connections users gather, so that it costs few queries. */
const LOOK_UPS = 10;

interface TenantQueue {
  readonly users: Set<string>;
  /** Of whom something was heard since the look-up began that runs: what it says of them is old. */
  readonly overtaken: Set<string>;
  running: boolean;
  lookUps: number;
}

/**
 * Finds out whether users that may have come or gone did, and says so to all nodes.
 *
 * Driven by what is so, not by what happened: a user is marked, and when their turn comes, this node's connections and
 * the leases decide; where they say nothing of a user, nothing is said. So marks may be lost, doubled or late without harm, and a failed look-up is simply repeated. Users
 * of a tenant that are marked while a look-up runs go together in the next one, and those of a storm in that of a tick.
 */
@Injectable()
export class Announcer {
  private readonly queues = new Map<string, TenantQueue>();

  constructor(
    private readonly local: LocalPresence,
    private readonly board: PresenceBoard,
    private readonly presence: Presence,
    private readonly rooms: SharedRooms,
    private readonly bus: Bus,
  ) {
    local.onChanged((user) => this.mark(user));
    board.onChanged(({ tenantId, userId }) => void this.queues.get(tenantId)?.overtaken.add(userId));
  }

  mark(user: UserRef): void {
    const queue = this.enqueue(user);
    // What fails stays marked, and the next tick tries again and says so.
    if (!queue.running) this.run(user.tenantId, queue).catch(() => undefined);
  }

  /** Looks after users of other nodes, and takes up again what failed. */
  @Every(TICK_MS, 'presence updates')
  async tick(): Promise<void> {
    for (const user of this.board.toVerify()) this.enqueue(user);
    for (const queue of this.queues.values()) queue.lookUps = 0;
    const idle = [...this.queues].filter(([, queue]) => !queue.running);
    for (const [tenantId, { users }] of idle) if (users.size === 0) this.queues.delete(tenantId);
    const runs = await Promise.allSettled(idle.map(([tenantId, queue]) => this.run(tenantId, queue)));
    for (const run of runs) if (run.status === 'rejected') throw run.reason;
  }

  private enqueue({ tenantId, userId }: UserRef): TenantQueue {
    const queue = this.queues.get(tenantId) ?? newQueue();
    this.queues.set(tenantId, queue);
    queue.users.add(userId);
    return queue;
  }

  private async run(tenantId: string, queue: TenantQueue): Promise<void> {
    queue.running = true;
    try {
      for (; queue.users.size > 0 && queue.lookUps < LOOK_UPS; queue.lookUps++) await this.announce(tenantId, queue);
    } finally {
      queue.running = false;
    }
  }

  private async announce(tenantId: string, { users: marked, overtaken }: TenantQueue): Promise<void> {
    overtaken.clear();
    const batch = [...marked].slice(0, BATCH);
    for (const userId of batch) marked.delete(userId);
    try {
      const { online: alive, isComplete } = await this.presence.lookUp(tenantId, batch);
      const isNews = (userId: string): boolean => {
        const user = { tenantId, userId };
        const isOnline = this.local.isHere(user) || alive.has(userId);
        return isOnline ? !this.board.knowsOnline(user) : isComplete && this.board.hasTold(user);
      };
      const news = batch.filter(isNews);
      if (news.length === 0) return;
      const largest = this.local.roomLimit(tenantId);
      const rooms = await this.rooms.of(tenantId, news, largest);
      const here = new Set(news.filter((userId) => this.local.isHere({ tenantId, userId })));
      const share = new WorkShare();
      for (const userId of news) {
        const near = rooms.get(userId) ?? [];
        // Each node goes through the people of these rooms at once.
        await share.next(near.length * largest);
        // Who was here and has gone is marked again: whether they are elsewhere is asked then.
        const hasGone = here.has(userId) && !this.local.isHere({ tenantId, userId });
        if (hasGone || !isNews(userId)) continue;
        if (overtaken.has(userId)) {
          marked.add(userId);
          continue;
        }
        const online = this.local.isHere({ tenantId, userId }) || alive.has(userId);
        this.bus.publish(PRESENCE_HINTS, { kind: 'change', tenantId, userId, online, rooms: near });
      }
    } catch (error) {
      for (const userId of batch) marked.add(userId);
      throw error;
    }
  }
}

function newQueue(): TenantQueue {
  return { users: new Set(), overtaken: new Set(), running: false, lookUps: 0 };
}
