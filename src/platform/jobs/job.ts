import type { JobEntity } from './entities/job.entity';

/** A piece of work as its handler gets it. */
export interface Job<P = unknown> {
  /** Unique over all tenants; stays the same over all attempts and after a replay. */
  readonly id: number;
  /** Dashed UUID. */
  readonly tenantId: string;
  readonly kind: string;
  /** What jobs of one kind are told apart by for the limit of concurrency: an endpoint, a room, a notification. */
  readonly key: string;
  /** JSON, as it was handed in. */
  readonly payload: P;
  /** Counts from 1; counted when the job is claimed, so a worker that dies has used it up. */
  readonly attempt: number;
  readonly createdAt: Date;
}

/** The payload's fields; none where it is no JSON object. */
export function fieldsOf(payload: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  return isObject ? (payload as Record<string, unknown>) : {};
}

const ID_FIELD = /(^|_)id$|Id$/;
/** Nothing that a person has written looks like this: no space, no @. */
const ID = /^[\w-]{1,64}$/;

/** The ids in a payload, by which it is found again: all of it that may be shown. */
export function idsOf(payload: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fieldsOf(payload)).filter(
      ([name, value]) => ID_FIELD.test(name) && (typeof value === 'number' || ID.test(String(value))),
    ),
  );
}

/** Work to be done later. */
export interface NewJob {
  readonly kind: string;
  readonly key: string;
  /** JSON value, stored as jsonb: no NUL, no lone surrogates. */
  readonly payload: unknown;
  /** Milliseconds before it may start. Default 0. */
  readonly delayMs?: number;
}

const kinds = new Map<string, JobKind<object>>();

/** A kind of jobs. Each has one handler (`@JobHandler`), or the server does not start. */
export class JobKind<P extends object> {
  /**
   * @param name as it is stored, and written by functions of the schema: never changed
   * @param payload the class of what its jobs carry, with class-validator's decorators
   */
  constructor(
    readonly name: string,
    readonly payload: new () => P,
  ) {
    if (kinds.has(name)) throw new Error(`Two kinds of jobs are called ${name}`);
    kinds.set(name, this);
  }

  /** All kinds that were made. */
  static all(): readonly JobKind<object>[] {
    return [...kinds.values()];
  }

  job(key: string, payload: P): NewJob {
    return { kind: this.name, key, payload };
  }
}

/** How the jobs of a kind are run. */
export interface JobRules {
  /** Milliseconds to wait after the first, second … failed attempt; the last one repeats. Jitter of ±20 % is added. */
  readonly schedule: readonly number[];
  /** After so many attempts the job is dead. */
  readonly maxAttempts: number;
  /** Jobs of one tenant, kind and key that run at the same time, on all nodes together. */
  readonly concurrency: number;
  /** Jobs of one tenant and this kind that run at the same time, on all nodes together. Default a quarter of `slots`. */
  readonly perTenant?: number;
  /** Jobs of this kind that run at the same time on this node. Default 32. */
  readonly slots?: number;
  /**
   * Limits that each tenant sets on jobs of this kind that run at the same time, on all nodes together: its own, and those
   * of one user, the payload's `user_id`. What is beyond waits in order; users take turns.
   */
  readonly limits?: { readonly perTenant: TenantJobLimit; readonly perUser: TenantJobLimit };
  /** Milliseconds that running jobs get to finish when the server stops, before their signal aborts. Default 2,000. */
  readonly drainMs?: number;
}

/** What does the jobs of one kind. Everything in it may run twice: after a crash a job is run again. */
export interface JobRunner<P = unknown> {
  /**
   * Resolves when the work is done; what it throws is a failed attempt, unless it is one of RetryJob, PostponeJob and
   * DeadJob. `signal` aborts when the lease is lost or the server stops: then give up soon. The job keeps its
   * place before later ones of its key; where the server stops, the attempt is not counted.
   */
  run(job: Job<P>, signal: AbortSignal): Promise<void>;
  /**
   * Called before the job is marked dead, at least once. When it throws it is called again later, up to 3 times. The payload
   * has the fields that fit their class: all of them, unless the job is dead because they do not.
   */
  onDead?(job: Job<Partial<P>>, error: string): Promise<void>;
  /** Where configuration says them, instead of in the decorator. */
  readonly schedule?: readonly number[];
  readonly maxAttempts?: number;
  readonly drainMs?: number;
}

/** A runner with its rules. */
export interface BoundRunner extends JobRules, Omit<JobRunner, 'onDead'> {
  onDead?(job: Job, error: string): Promise<void>;
  readonly schedule: readonly number[];
  readonly maxAttempts: number;
}

/** A limit of the tenant by its name there (null: none), and what holds where the tenant has said nothing. */
export interface TenantJobLimit {
  readonly name: string;
  readonly byDefault: number;
}

/** A failed attempt that says itself when the next one may be (Retry-After). The attempt counts. */
export class RetryJob extends Error {
  constructor(
    message: string,
    readonly delayMs: number,
  ) {
    super(message);
    this.name = 'RetryJob';
  }
}

/** Not now: the job runs again after the delay, and the attempt does not count. */
export class PostponeJob extends Error {
  constructor(
    message: string,
    readonly delayMs: number,
  ) {
    super(message);
    this.name = 'PostponeJob';
  }
}

/** No further attempt makes sense: the job is dead at once. */
export class DeadJob extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DeadJob';
  }
}

/** A job that was given up. It stays until it is revived or dropped, at most 30 days. */
export type DeadJobRow = Readonly<Pick<JobEntity, 'id' | 'kind' | 'key' | 'payload' | 'attempts' | 'created_at'>> & {
  readonly error: string | null;
  readonly ended_at: Date;
};
