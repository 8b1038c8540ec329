/** Claims jobs and runs them on this node, and counts how they ended. */
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { describeError, Log } from '../logging';
import { Gauge, type GaugeSample, Metrics } from '../metrics';
import { JobHandlers } from './handlers';
import { type BoundRunner, idsOf, type Job } from './job';
import { type ClaimCursor, type ClaimedRow, Endings, JobsRepository } from './jobs.repository';
import { DONE, type JobOutcome, outcomeOf, OUTLIVED, RELEASED, textOf } from './outcome';

const STATES = ['queued', 'running', 'dead'] as const;

/** What /metrics says of jobs. */
@Injectable()
export class JobMetrics {
  private readonly outcomes;
  private readonly durations;
  private readonly claims;

  constructor(
    private readonly repository: JobsRepository,
    metrics: Metrics,
  ) {
    this.outcomes = metrics.counter('chatapi_jobs_ended_total');
    this.durations = metrics.histogram('chatapi_jobs_seconds');
    this.claims = metrics.counter('chatapi_jobs_claims_total');
  }

  /** Asked at most once per scrape. */
  @Gauge('chatapi_jobs')
  async states(): Promise<GaugeSample<'chatapi_jobs'>[]> {
    const counts = new Map((await this.repository.counts()).map((row) => [row.state, row.n]));
    return STATES.map((state) => ({ labels: { state }, value: counts.get(state) ?? 0 }));
  }

  /** A claim was answered with so many jobs. */
  claimed(jobs: number): void {
    this.claims.labels({ result: jobs > 0 ? 'some' : 'empty' }).inc();
  }

  /** An attempt ended. */
  ended(kind: string, outcome: string, seconds: number): void {
    this.outcomes.labels({ kind, outcome }).inc();
    this.durations.labels({ kind }).observe(seconds);
  }
}

/** A claimed job is this node's for so long, by the database's clock, unless its lease is renewed. */
export const JOB_LEASE_MS = 15_000;
const SLOTS = 32;
const DRAIN_MS = 2000;
/** The reason of a job's signal when the job is another worker's by now. */
export const LEASE_LOST = 'lease lost';
/** After the last drain: what ignores its signal is left behind. */
const ABORTED_MS = 1000;
/** For the endings, after all of it. */
const ENDING_MS = 250;
/** The longest that a timer can be set to. */
const MAX_DELAY_MS = 2_147_483_647;
/** Before an unburied job is buried again. */
const BURY_AGAIN_MS = 30_000;

interface Running {
  readonly row: ClaimedRow;
  readonly handler: BoundRunner;
  readonly abort: AbortController;
  /** By this node's monotonic clock, and never later than the database's: measured before the claim was sent. */
  leaseEndsAt: number;
  ended: Promise<void>;
}

/**
 * Claims jobs and runs them, on one node.
 *
 * Claims are made one at a time; the work happens outside of them and of any transaction. A job occupies its slot until
 * its ending is stored. A worker that lost a lease may go on working without knowing: its fence refuses what it writes last.
 */
@Injectable()
export class JobWorker {
  private readonly running = new Map<number, Running>();
  private claiming: Promise<readonly string[]> | undefined;
  private again = false;
  private isStopped = false;
  private isAborting = false;
  private hasBacklog = false;
  private cursor: ClaimCursor | null = null;
  /** Kinds that had no free slot at the last claim: jobs of them may be due that it has not seen. */
  private unseen: ReadonlySet<string> = new Set();

  constructor(
    private readonly repository: JobsRepository,
    @Inject(JobHandlers) private readonly handlers: Pick<JobHandlers, 'all'>,
    private readonly endings: Endings,
    private readonly clock: Clock,
    @Inject(JobMetrics) private readonly metrics: Pick<JobMetrics, 'ended' | 'claimed'>,
    private readonly log: Log,
  ) {}

  /**
   * Looks for work now; when a claim is running, once more after it. Rejects when the claim failed.
   * @returns the kinds of which jobs may be due that it has no slot for
   */
  pump(): Promise<readonly string[]> {
    this.again = true;
    this.claiming ??= this.claimAll().finally(() => (this.claiming = undefined));
    return this.claiming;
  }

  /** Whether it has no slot for any of these kinds; if so, it looks for their jobs when it has one. */
  isFullOf(kinds: readonly string[]): boolean {
    const open = new Set(this.kinds().flatMap(({ kind, free }) => (free > 0 ? [kind] : [])));
    if (kinds.some((kind) => open.has(kind))) return false;
    this.unseen = new Set([...this.unseen, ...kinds]);
    return true;
  }

  /** Extends the leases of what runs, and aborts what lost its own. */
  async renew(): Promise<void> {
    const { clock, repository } = this;
    const asked = clock.monotonicMs();
    try {
      const held = [...this.running.values()].map(({ row }) => ({
        id: row.id,
        tenantId: row.tenant_id,
        fence: row.fence,
      }));
      if (held.length === 0) return;
      for (const id of await repository.renew(held, JOB_LEASE_MS)) {
        const job = this.running.get(id);
        if (job !== undefined) job.leaseEndsAt = asked + JOB_LEASE_MS;
      }
    } finally {
      const now = clock.monotonicMs();
      for (const { leaseEndsAt, abort } of this.running.values()) if (leaseEndsAt <= now) abort.abort(LEASE_LOST);
    }
  }

  /** Claims no more, lets what runs finish or gives it back. @param mostMs how long it may take, if there is a bound */
  async stop(mostMs = Infinity): Promise<void> {
    this.isStopped = true;
    const endsAt = this.clock.monotonicMs() + mostMs;
    await within(Math.min(MAX_DELAY_MS, mostMs), this.claiming?.catch(() => undefined) ?? Promise.resolve());
    const left = endsAt - this.clock.monotonicMs() - ABORTED_MS - ENDING_MS;
    await Promise.all([...this.running.values()].map((job) => this.drain(job, Math.max(0, left))));
    this.endings.giveUp();
  }

  private async drain({ handler, abort, ended }: Running, mostMs: number): Promise<void> {
    if (await within(Math.min(handler.drainMs ?? DRAIN_MS, mostMs), ended)) return;
    this.isAborting = true;
    abort.abort('the server stops');
    await within(ABORTED_MS, ended);
  }

  private async claimAll(): Promise<readonly string[]> {
    const lacking = new Set<string>();
    // The wake-ups of one turn are one claim.
    await Promise.resolve();
    while (this.again && !this.isStopped) {
      this.again = false;
      for (const kind of await this.claim()) lacking.add(kind);
    }
    return [...lacking];
  }

  /** Returns the kinds of which jobs may be due that it has no slot for. */
  private async claim(): Promise<string[]> {
    const { clock, repository } = this;
    const kinds = this.kinds();
    const open = kinds.filter(({ free }) => free > 0);
    const full = kinds.flatMap(({ kind, free }) => (free > 0 ? [] : [kind]));
    this.unseen = new Set(full);
    if (open.length === 0) return full;
    const sentAt = clock.monotonicMs();
    const { jobs, more, cursor } = await repository.claim({
      kinds: open.map(({ kind }) => kind),
      free: open.map(({ free }) => free),
      perTenant: open.map(({ handler }) => handler.perTenant ?? Math.max(1, Math.floor(slotsOf(handler) / 4))),
      perKey: open.map(({ handler }) => handler.concurrency),
      maxAttempts: open.map(({ handler }) => handler.maxAttempts),
      limits: open.map(({ handler }) => handler.limits),
      leaseMs: JOB_LEASE_MS,
      after: this.cursor,
    });
    this.metrics.claimed(jobs.length);
    // A lap of more tenants than one claim looks at: go on until it is complete.
    if (cursor !== null) this.again = true;
    this.hasBacklog = more || cursor !== null || (this.cursor !== null && this.hasBacklog);
    this.cursor = cursor;
    for (const row of jobs) this.start(row, sentAt + JOB_LEASE_MS);
    // Of a kind that has free slots left, what is due is held back by a limit that holds on all nodes.
    const filled = open.filter(({ kind, free }) => jobs.filter((row) => row.kind === kind).length >= free);
    return more ? [...full, ...filled.map(({ kind }) => kind)] : full;
  }

  /** All kinds, with their free slots. */
  private kinds(): { kind: string; handler: BoundRunner; free: number }[] {
    const busy = new Map<string, number>();
    for (const { row } of this.running.values()) busy.set(row.kind, (busy.get(row.kind) ?? 0) + 1);
    return [...this.handlers.all].map(([kind, handler]) => ({
      kind,
      handler,
      free: Math.max(0, slotsOf(handler) - (busy.get(kind) ?? 0)),
    }));
  }

  private start(row: ClaimedRow, leaseEndsAt: number): void {
    const handler = this.handlers.all.get(row.kind);
    if (handler === undefined) return;
    const job: Running = { row, handler, leaseEndsAt, abort: new AbortController(), ended: Promise.resolve() };
    this.running.set(row.id, job);
    job.ended = this.attempt(job);
  }

  private async attempt(job: Running): Promise<void> {
    const { endings, clock, metrics } = this;
    const { row } = job;
    const begun = clock.monotonicMs();
    const { outcome, delayMs, error } = await this.outcome(job);
    const seconds = (clock.monotonicMs() - begun) / 1000;
    const wasOurs = await endings.write({
      id: row.id,
      tenantId: row.tenant_id,
      fence: row.fence,
      outcome,
      delayMs,
      error,
    });
    // Under a later fence it may run here again already.
    if (this.running.get(row.id) === job) this.running.delete(row.id);
    metrics.ended(row.kind, wasOurs ? outcome : 'lost', seconds);
    if (!this.isStopped && (await this.isAnotherDue(row))) this.pump().catch(() => undefined);
  }

  private async isAnotherDue({ tenant_id: tenantId, kind }: ClaimedRow): Promise<boolean> {
    if (this.hasBacklog || this.unseen.has(kind)) return true;
    return this.endings.letsAnotherBegin({ tenantId, kind });
  }

  private async outcome({ row, handler, abort }: Running): Promise<JobOutcome> {
    const job = jobOf(row);
    // Claimed beyond its last attempt: its worker died with it, or it could not be buried.
    if (job.attempt > handler.maxAttempts) return this.bury(job, handler, row.last_error ?? 'the worker was lost');
    try {
      await handler.run(job, abort.signal);
      return DONE;
    } catch (error) {
      if (abort.signal.aborted && this.isAborting) return RELEASED;
      if (abort.signal.reason === LEASE_LOST) return OUTLIVED;
      const outcome = outcomeOf(error, job.attempt, handler);
      if (outcome.outcome === 'retry' || outcome.outcome === 'dead')
        this.log.debug({ ...about(job), outcome: outcome.outcome, error: describeError(error) }, 'job failed');
      return outcome.outcome === 'dead' ? this.bury(job, handler, outcome.error ?? 'failed') : outcome;
    }
  }

  private async bury(job: Job, handler: BoundRunner, error: string): Promise<JobOutcome> {
    try {
      await handler.onDead?.(job, error);
    } catch (failure) {
      this.log.error({ ...about(job), error: describeError(failure) }, 'a dead job could not be buried');
      return { outcome: 'retry', delayMs: BURY_AGAIN_MS, error: textOf(failure) };
    }
    this.log.warn({ ...about(job), error }, 'job is dead');
    return { outcome: 'dead', delayMs: 0, error };
  }
}

function slotsOf(handler: BoundRunner): number {
  return handler.slots ?? SLOTS;
}

function jobOf(row: ClaimedRow): Job {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    kind: row.kind,
    key: row.key,
    payload: row.payload,
    attempt: row.attempts,
    createdAt: new Date(row.created_at),
  };
}

/** What a job's log lines say of it: ids, by which it is found again, and nothing of what it carries. */
export function about(job: Job): object {
  const ids = idsOf(job.payload);
  return {
    job: job.id,
    kind: job.kind,
    key: job.key,
    tenant_id: job.tenantId,
    attempt: job.attempt,
    ...(Object.keys(ids).length > 0 ? { about: ids } : {}),
  };
}

/** Whether the promise settled in time. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const settled = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return settled;
}
