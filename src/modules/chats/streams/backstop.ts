import { Inject, Injectable } from '@nestjs/common';
import { Bus } from '../../../platform/cluster';
import { every, type Interval, OnStop, StopStage } from '../../../platform/lifecycle';
import { Log } from '../../../platform/logging';
import { Metrics } from '../../../platform/metrics';
import type { Unwatch } from '../contract';
import { type ChatRef, keyOf } from './chat-hub';
import { FollowedRepository, type FollowedStates } from './followed.repository';

/** What no hint had told: where a run stands, a message of a chat, that a chat was deleted, that a run was stopped. */
export type Missed = 'run' | 'message' | 'deletion' | 'stop';

/** Whoever needs to know how runs, or a whole chat, come along. */
export interface Followed {
  readonly chat: ChatRef;
  /** Its messages, and whichever runs it has, are followed; else the runs alone. */
  readonly isWholeChat: boolean;
  /** Milliseconds between two looks, where the usual two seconds are too long. */
  readonly everyMs?: number | undefined;
  /** Runs of the chat whose end is awaited. */
  runIds(): Iterable<string>;
  /** Makes good what the states say and no hint has; returns what that was. Neither throws nor waits. */
  compare(states: FollowedStates): readonly Missed[];
}

const FOLLOWED_MS = 2000;
/** While the bus is down no hint comes at all. */
const DOWN_MS = 250;
/** Of those who follow, per statement. */
const PAGE = 1000;

/**
 * Hints between nodes may be lost; whoever waits for one would wait for ever. So the database is asked, again and again,
 * how everything stands that is followed or written on this node.
 *
 * Invariants: what is followed is looked at every two seconds, every 250 ms while the bus is down, for as long as it is followed
 * and the database answers; whatever was committed before a look and is still unknown here is made good by it, or by the
 * next one. One look is one statement per thousand that follow, one statement at a time; where nobody follows anything,
 * there is no statement, and no timer from the next look on.
 *
 * Concurrency: a look may be older than a hint that came meanwhile, so it only says what is missing: what is told is read, or
 * was told already.
 */
@Injectable()
export class ChatBackstop {
  private readonly followed = new Set<Followed>();
  private timer: Interval | undefined;
  private isOver = false;

  constructor(
    private readonly bus: Bus,
    @Inject(FollowedRepository) private readonly repository: Pick<FollowedRepository, 'states'>,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** Looks after it until the returned function is called. */
  follow(followed: Followed): Unwatch {
    this.followed.add(followed);
    if (!this.isOver)
      this.timer ??= every(
        () => this.pauseMs(),
        'chat backstop',
        () => this.look(),
        this.log,
      );
    return () => void this.followed.delete(followed);
  }

  /** With the bus: what is committed later is told by nobody. */
  @OnStop(StopStage.log)
  async end(): Promise<void> {
    this.isOver = true;
    await this.timer?.stop();
  }

  private async look(): Promise<void> {
    if (this.followed.size === 0) {
      // Not awaited: this is one of its runs.
      void this.timer?.stop();
      this.timer = undefined;
      return;
    }
    const all = [...this.followed];
    for (let from = 0; from < all.length && !this.isOver; from += PAGE) await this.ask(all.slice(from, from + PAGE));
  }

  private async ask(page: readonly Followed[]): Promise<void> {
    const chats = page.filter(({ isWholeChat }) => isWholeChat).map(({ chat }) => [keyOf(chat), chat] as const);
    const states = await this.repository.states({
      runs: page.flatMap((followed) =>
        Array.from(followed.runIds(), (runId) => ({ tenantId: followed.chat.tenantId, runId })),
      ),
      chats: new Map(chats).values(),
    });
    for (const followed of page) {
      if (!this.followed.has(followed)) continue;
      for (const what of followed.compare(states))
        this.metrics.counter('chatapi_chat_hints_missed_total').labels({ what }).inc();
    }
  }

  private pauseMs(): number {
    if (this.bus.state === 'down') return DOWN_MS;
    let least = FOLLOWED_MS;
    for (const { everyMs = FOLLOWED_MS } of this.followed) least = Math.min(least, everyMs);
    return least;
  }
}
