import { Injectable } from '@nestjs/common';
import { ArrayMaxSize, IsArray, IsOptional, IsUUID } from 'class-validator';
import { Clock } from '../../common/time';
import { Database } from '../../platform/database';
import { exponential, type Job, JobHandler, JobKind, type JobRunner, PostponeJob } from '../../platform/jobs';
import { Paced } from '../../platform/tenant-data';
import { feedCollect, feedSweep, feedTrim } from './changes.functions';

/** Rooms of one job. */
export const MOST_ROOMS = 500;
/** Rooms that one statement looks at. */
const SWEPT = 500;
/** Rows that one statement deletes. */
const TRIMMED = 1000;
/** So long a look at all rooms goes on before other tenants have their turn. */
const TURN_MS = 30_000;

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
 * time. A look at all rooms begins anew where it was cut short, but for its turn.
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

  async run({ id, tenantId, payload }: Job<CollectPayload>, signal: AbortSignal): Promise<void> {
    if (payload.room_ids !== undefined) {
      await feedCollect.call(this.database, tenantId, { p_rooms: payload.room_ids });
      return;
    }
    const paced = new Paced(this.clock, signal, TURN_MS);
    let after = this.reached.get(id) ?? null;
    this.reached.delete(id);
    do {
      const args = { p_after: after, p_limit: SWEPT };
      after = await paced.piece(() => feedSweep.call(this.database, tenantId, args));
      if (after !== null && paced.isOver) {
        this.reached.set(id, after);
        throw new PostponeJob('other tenants have their turn', 1);
      }
    } while (after !== null);
    while ((await paced.piece(() => feedTrim.call(this.database, tenantId, { p_limit: TRIMMED }))) >= TRIMMED);
  }
}
