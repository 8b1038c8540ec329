import { Injectable } from '@nestjs/common';
import { nodeAddress } from '../../common/ids';
import { Bus, NodeRegistry, type Topic, type Unsubscribe } from '../cluster';
import type { Sql } from '../database';
import { eraseFunction, EraseStep, type EraseWork } from '../tenant-data';
import type { DeadJobRow, NewJob } from './job';
import { JobsRepository } from './jobs.repository';

/** There may be something to claim. */
export interface Wake {
  /** Ids of the nodes that had no slot for it. */
  readonly tried: readonly string[];
  /** Names of the kinds that those had no slot for; undefined: of any kind. */
  readonly kinds: readonly string[] | undefined;
}

const WAKE: Topic<Wake> = 'jobs-wake';

/**
 * Says who looks for work.
 *
 * Invariants
 * - The node that commits a job looks alone. Another one is asked only by a node that has no slot of a kind that may be due:
 *   one at a time, any of those that were not asked for this wake-up. So a due job that no limit holds back is claimed
 *   without a poll while some node has a slot for it, and a wake-up costs as many claims as there are full nodes on its
 *   way, and one more.
 * - A node that is not running jobs, or not any more, asks another one.
 * - A wake-up may be lost, with its node or on its way: the poll is the backstop.
 */
@Injectable()
export class JobWakes {
  private isScheduled = false;
  private handler: ((wake: Wake) => void) | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly nodes: NodeRegistry,
  ) {}

  /** Jobs have been committed here. Neither blocks nor fails; calls of one turn are one. */
  wake(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.hand({ tried: [], kinds: undefined });
    });
  }

  /** Calls back after every wake-up that this node is to look after, its own and others'. For one listener. */
  listen(handler: (wake: Wake) => void): Unsubscribe {
    const address = nodeAddress(this.nodes.self.nodeId);
    this.handler = handler;
    const unsubscribe = this.bus.subscribe(WAKE, ({ payload }) => this.hand(payload));
    void this.bus.follow(address);
    return () => {
      this.handler = undefined;
      this.bus.unfollow(address);
      unsubscribe();
    };
  }

  /** This node has no slot: another one looks, if there is one that was not asked. Never rejects. */
  async passOn({ tried, kinds }: Wake): Promise<void> {
    if (!this.bus.isShared) return;
    const asked = [...new Set([...tried, this.nodes.self.nodeId])];
    // Where it is not known which nodes there are, they poll.
    const nodes = await this.nodes.nodes().catch(() => []);
    const others = nodes.filter(({ nodeId }) => !asked.includes(nodeId));
    const other = others[Math.floor(Math.random() * others.length)];
    if (other !== undefined) this.bus.publish(WAKE, { tried: asked, kinds }, nodeAddress(other.nodeId));
  }

  private hand(wake: Wake): void {
    if (this.handler === undefined) void this.passOn(wake);
    else this.handler(wake);
  }
}

/** What several wake-ups that are looked after together ask for. */
export function together(a: Wake | undefined, b: Wake): Wake {
  if (a === undefined) return b;
  // A node that had no slot for one of them may have one for the other.
  const tried = a.tried.filter((node) => b.tried.includes(node));
  const kinds = a.kinds === undefined || b.kinds === undefined ? undefined : [...new Set([...a.kinds, ...b.kinds])];
  return { tried, kinds };
}

/** Where work is handed in. */
@Injectable()
export class Jobs {
  constructor(
    private readonly repository: JobsRepository,
    private readonly wakes: JobWakes,
  ) {}

  /** Stores jobs within a transaction of their tenant. Call `wake` after its commit. */
  async enqueue(sql: Sql, tenantId: string, jobs: readonly NewJob[]): Promise<void> {
    if (jobs.length > 0) await this.repository.insert(sql, tenantId, jobs);
  }

  /** Stores jobs in a transaction of their own, and wakes the workers. */
  async add(tenantId: string, jobs: readonly NewJob[]): Promise<void> {
    if (jobs.length === 0) return;
    await this.repository.add(tenantId, jobs);
    this.wake();
  }

  /**
   * Jobs have been committed: this node's worker looks at once, and another one where this one has no slot. Neither blocks
   * nor fails; calls of one turn are one. A wake-up that is lost costs half a second.
   */
  wake(): void {
    this.wakes.wake();
  }

  /** The tenant's dead jobs of a kind, newest first. */
  dead(tenantId: string, kind: string, limit: number): Promise<DeadJobRow[]> {
    return this.repository.dead(tenantId, kind, limit);
  }

  /** Runs dead jobs again, with the same ids and all their attempts; the ids of those that were dead. */
  async revive(tenantId: string, kind: string, ids: readonly number[]): Promise<number[]> {
    const revived = await this.repository.revive(tenantId, kind, ids);
    if (revived.length > 0) this.wake();
    return revived;
  }

  /** Forgets dead jobs; the ids of those that were dead. */
  drop(tenantId: string, kind: string, ids: readonly number[]): Promise<number[]> {
    return this.repository.drop(tenantId, kind, ids);
  }
}

/** Takes a user out of jobs that wait or were given up. */
@Injectable()
@EraseStep('jobs')
export class JobsErase implements EraseWork {
  readonly batch = eraseFunction('jobs_erase');
}
