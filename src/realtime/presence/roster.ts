import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Bus, NodeRegistry, type Unsubscribe } from '../../platform/cluster';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { Announcer } from './announcer';
import { presenceKey, TICK_MS } from './leases';
import { LocalPresence, type UserRef } from './local-presence';
import { PRESENCE_HINTS, PresenceBoard, type RosterHint } from './presence-board';

/** Users per publication: with the longest ids it fits into an envelope of the bus. */
const SLICE = 200;
/** Publications between two ticks: a node with 20,000 users has said so after five seconds. */
const SLICES = 10;
/** A user that another node says to have is looked for in the leases so often, and for so long, where they are not known yet. */
const RETRY_MS = 5000;
const GIVE_UP_MS = 60_000;

interface Unconfirmed extends UserRef {
  readonly until: number;
}

/**
 * Makes up for hints of presence that were lost. That somebody has gone is found by looking at the leases of those who are known
 * as online (PresenceBoard.toVerify); that somebody has come nobody would look for. So after a gap of the bus this node asks
 * the others whom they have, and says whom it has, since the question of another may be among what was lost; each answers with
 * its users' ids, and whoever is news is looked up. So does a node that the others have given up.
 *
 * An answer is a hint as well: it makes this node look at the leases, and where it is lost, the bus tells of a gap again.
 */
@Injectable()
export class PresenceRoster implements OnModuleInit {
  private ends: readonly Unsubscribe[] = [];
  /** Nodes to be asked; '' for all. */
  private readonly toAsk = new Set<string>();
  /** Whether somebody has asked since the current answer began. */
  private isAsked = false;
  private answer: Iterator<UserRef, void> | undefined;
  private readonly unconfirmed = new Map<string, Unconfirmed>();
  private retryAt = -Infinity;

  constructor(
    private readonly bus: Bus,
    private readonly nodes: NodeRegistry,
    private readonly local: LocalPresence,
    private readonly board: PresenceBoard,
    private readonly announcer: Announcer,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.ends = [
      this.bus.subscribe(PRESENCE_HINTS, ({ node, payload }) => {
        if (node === this.nodes.self.nodeId) return;
        if (payload.kind === 'ask') this.isAsked ||= (payload.of ?? this.nodes.self.nodeId) === this.nodes.self.nodeId;
        else if (payload.kind === 'roster') this.hear(payload);
      }),
      this.bus.onGap(({ node }) => {
        this.toAsk.add(node ?? '');
        // What was lost may have been its question.
        this.isAsked = true;
      }),
      this.nodes.onNodeLost(() => this.board.hurry()),
      this.nodes.onReturned(() => {
        this.toAsk.add('');
        this.isAsked = true;
        this.board.hurry();
      }),
    ];
  }

  @OnStop(StopStage.workers)
  end(): void {
    for (const end of this.ends) end();
  }

  @Every(TICK_MS, 'presence rosters')
  tick(): void {
    this.ask();
    this.tell();
    this.retry();
  }

  private ask(): void {
    if (this.toAsk.has('')) this.bus.publish(PRESENCE_HINTS, { kind: 'ask' });
    else for (const of of this.toAsk) this.bus.publish(PRESENCE_HINTS, { kind: 'ask', of });
    this.toAsk.clear();
  }

  private tell(): void {
    if (this.answer === undefined && this.isAsked) {
      this.isAsked = false;
      this.answer = this.local.users();
    }
    for (let slices = 0; slices < SLICES && this.answer !== undefined; slices++) {
      const byTenant = new Map<string, string[]>();
      for (let n = 0; n < SLICE; n++) {
        const next = this.answer.next();
        if (next.done === true) {
          this.answer = undefined;
          break;
        }
        const { tenantId, userId } = next.value;
        const userIds = byTenant.get(tenantId) ?? [];
        userIds.push(userId);
        byTenant.set(tenantId, userIds);
      }
      for (const [tenantId, userIds] of byTenant)
        this.bus.publish(PRESENCE_HINTS, { kind: 'roster', tenantId, userIds });
    }
  }

  private hear({ tenantId, userIds }: RosterHint): void {
    const until = this.clock.monotonicMs() + GIVE_UP_MS;
    for (const userId of userIds) {
      const user = { tenantId, userId };
      if (this.board.knowsOnline(user)) continue;
      this.unconfirmed.set(presenceKey(tenantId, userId), { ...user, until });
      this.announcer.mark(user);
    }
  }

  /** Their node may not have stated their leases yet, or the leases may not be known. */
  private retry(): void {
    const now = this.clock.monotonicMs();
    if (now < this.retryAt) return;
    this.retryAt = now + RETRY_MS;
    for (const [key, user] of this.unconfirmed)
      if (user.until <= now || this.board.knowsOnline(user)) this.unconfirmed.delete(key);
      else this.announcer.mark(user);
  }
}
