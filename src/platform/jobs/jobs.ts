import { Injectable } from '@nestjs/common';
import type { Sql } from '../database';
import { eraseFunction, EraseStep, type EraseWork } from '../tenant-data';
import type { DeadJobRow, NewJob } from './job';
import { JobsRepository } from './jobs.repository';
import { JobWakes } from './wakes';

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
