import { Injectable } from '@nestjs/common';
import { Bus, type Topic, type Unsubscribe } from '../cluster';
import type { Sql } from '../database';
import { eraseFunction, EraseStep, type EraseWork } from '../tenant-data';
import type { DeadJobRow, NewJob } from './job';
import { JobsRepository } from './jobs.repository';

/** There is something to claim; says nothing about what. */
const WAKE: Topic<Record<string, never>> = 'jobs-wake';

/** Where work is handed in. */
@Injectable()
export class Jobs {
  private isScheduled = false;

  constructor(
    private readonly repository: JobsRepository,
    private readonly bus: Bus,
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
   * Jobs have been committed: workers here and on the other nodes look at once. Neither blocks nor fails; calls of one
   * turn are one. A wake-up that is lost costs half a second.
   */
  wake(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.bus.publish(WAKE, {});
    });
  }

  /** Calls back after every wake-up, this node's and the others'. */
  onWake(handler: () => void): Unsubscribe {
    return this.bus.subscribe(WAKE, handler);
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
