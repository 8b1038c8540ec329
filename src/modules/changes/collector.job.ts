import { Injectable } from '@nestjs/common';
import { ArrayMaxSize, IsArray, IsOptional, IsUUID } from 'class-validator';
import { Clock } from '../../common/time';
import { Database } from '../../platform/database';
import { exponential, type Job, JobHandler, JobKind, type JobRunner, PostponeJob } from '../../platform/jobs';
import { Paced } from '../../platform/tenant-data';
import { feedCollect, feedSweep, feedTrim } from './changes.functions';

/** Rooms of one job. */
export const MOST_ROOMS = 500;
/** Rooms that one statement looks at, at the first attempt; each further one halves it. */
const SWEPT = 500;
/** Fewer rooms than these no attempt takes at once. */
const LEAST = 10;
/** Behind every room: a look that goes on there has only old entries left to delete. */
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** Rows that one statement deletes. */
const TRIMMED = 1000;
/** So long a look at all rooms goes on before other tenants, and what was committed in this one meanwhile, have their turn. */
const TURN_MS = 2000;

/** Rooms in which something was committed; none: all rooms of the tenant are to be looked at (feed_sweep_due). */
export class CollectPayload {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_ROOMS)
  @IsUUID(undefined, { each: true })
  room_ids?: string[];
}

/** Collects the changes of a tenant: all jobs have one key, so one of them runs at a time, on all nodes together. */
export const COLLECT = new JobKind('feed', CollectPayload);

export const COLLECT_KEY = 'feed';

/**
 * The collector of a tenant. Its attempts count where a worker dies with it: a job that is done twice does nothing the second
 * time. A look at all rooms begins anew where it was cut short, but for its turn. What could not be done within a statement's
 * deadline is tried again in statements of half as many rooms.
 */
@Injectable()
@JobHandler({
  kind: COLLECT,
  schedule: exponential(1000, 2, 60_000, 7),
  maxAttempts: 10_000,
  concurrency: 1,
  perTenant: 1,
  slots: 8,
})
export class Collector implements JobRunner<CollectPayload> {
  /** Up to which room an unfinished look of a tenant came, by job. Lost with the process: the look begins anew. */
  private readonly reached = new Map<number, string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async run(job: Job<CollectPayload>, signal: AbortSignal): Promise<void> {
    const atOnce = Math.max(LEAST, Math.floor(SWEPT / 2 ** (job.attempt - 1)));
    if (job.payload.room_ids === undefined) return this.look(job, atOnce, signal);
    for (let from = 0; from < job.payload.room_ids.length; from += atOnce) {
      const p_rooms = job.payload.room_ids.slice(from, from + atOnce);
      await feedCollect.call(this.database, job.tenantId, { p_rooms });
    }
  }

  /** Looks at all rooms, from where the job was put off, and deletes entries that are too old. */
  private async look({ id, tenantId }: Job, atOnce: number, signal: AbortSignal): Promise<void> {
    const paced = new Paced(this.clock, signal, TURN_MS);
    let after = this.reached.get(id) ?? null;
    this.reached.delete(id);
    do {
      const args = { p_after: after, p_limit: atOnce };
      after = await paced.piece(() => feedSweep.call(this.database, tenantId, args));
      if (after !== null && paced.isOver) this.putOff(id, after);
    } while (after !== null);
    while ((await paced.piece(() => feedTrim.call(this.database, tenantId, { p_limit: TRIMMED }))) >= TRIMMED)
      if (paced.isOver) this.putOff(id, LAST);
  }

  private putOff(id: number, after: string): never {
    this.reached.set(id, after);
    throw new PostponeJob('others have their turn', 1);
  }
}
