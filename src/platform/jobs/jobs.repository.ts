import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { Batching } from '../../common/batching';
import { Bus } from '../cluster';
import { Database, type Sql, SystemDatabase, systemFunction, value } from '../database';
import { Every } from '../lifecycle';
import type { DeadJobRow, JobRules, NewJob } from './job';

export interface ClaimCursor {
  readonly tenant_id: string;
  readonly kind: string;
}

export interface ClaimedRow {
  readonly tenant_id: string;
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly fence: number;
  readonly last_error: string | null;
  readonly created_at: string;
}

export interface JobClaim {
  readonly jobs: readonly ClaimedRow[];
  /** Jobs are due that a limit kept back: look again when a job ends. */
  readonly more: boolean;
  readonly cursor: ClaimCursor | null;
}

/** Takes jobs of all tenants: those that are due, as far as the limits go, the longest due first. */
const jobsClaim = systemFunction(
  'jobs_claim',
  {
    p_kinds: 'text[]',
    p_free: 'integer[]',
    p_per_tenant: 'integer[]',
    p_per_key: 'integer[]',
    p_max_attempts: 'integer[]',
    p_tenant_limits: 'text[]',
    p_tenant_defaults: 'integer[]',
    p_user_limits: 'text[]',
    p_user_defaults: 'integer[]',
    p_lease_ms: 'bigint',
    p_after_tenant: 'uuid?',
    p_after_kind: 'text?',
    p_scan: 'integer',
  },
  value<JobClaim>('jsonb'),
);

/** What a node asks for: per kind, how many jobs it has room for and what limits hold. */
export interface ClaimRequest {
  readonly kinds: readonly string[];
  readonly free: readonly number[];
  readonly perTenant: readonly number[];
  readonly perKey: readonly number[];
  readonly maxAttempts: readonly number[];
  /** The limits that tenants set. */
  readonly limits: readonly JobRules['limits'][];
  readonly leaseMs: number;
  /** Where the last claim stopped looking, when there were too many tenants for one. */
  readonly after: ClaimCursor | null;
}

/** What became of a claimed job. */
export interface Ending {
  readonly id: number;
  readonly tenantId: string;
  readonly fence: number;
  /** released: like retry, and the attempt does not count. */
  readonly outcome: 'done' | 'retry' | 'released' | 'dead';
  /** 0: due at once, in its old place: before what was due later, so what shares its key keeps its order. */
  readonly delayMs: number;
  readonly error: string | null;
}

/** The jobs of one tenant and kind. */
export interface Queue {
  readonly tenantId: string;
  readonly kind: string;
}

/** Most pairs of tenant and kind that one claim looks at. */
const SCAN = 1000;
const DEAD_DAYS = 30;

/** The table jobs. What crosses tenants runs as the system role. */
@Injectable()
export class JobsRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  claim(r: ClaimRequest): Promise<JobClaim> {
    return jobsClaim.call(this.system, {
      p_kinds: r.kinds,
      p_free: r.free,
      p_per_tenant: r.perTenant,
      p_per_key: r.perKey,
      p_max_attempts: r.maxAttempts,
      p_tenant_limits: r.limits.map((limits) => limits?.perTenant.name ?? null),
      p_tenant_defaults: r.limits.map((limits) => limits?.perTenant.byDefault ?? null),
      p_user_limits: r.limits.map((limits) => limits?.perUser.name ?? null),
      p_user_defaults: r.limits.map((limits) => limits?.perUser.byDefault ?? null),
      p_lease_ms: r.leaseMs,
      p_after_tenant: r.after?.tenant_id,
      p_after_kind: r.after?.kind,
      p_scan: SCAN,
    });
  }

  /** Extends the leases of what still runs under these fences. SKIP LOCKED: the statement that ends one has its row. */
  async renew(held: readonly { id: number; tenantId: string; fence: number }[], leaseMs: number): Promise<Set<number>> {
    const rows = await this.system.query<{ id: number }>(
      'renew job leases',
      `UPDATE jobs j SET lease_until = clock_timestamp() + $4 * interval '1 ms'
       FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) h(tenant_id, id, fence),
         LATERAL (SELECT x.tenant_id, x.id FROM jobs x WHERE x.tenant_id = h.tenant_id AND x.id = h.id
           AND x.fence = h.fence AND x.state = 'running' FOR UPDATE SKIP LOCKED) l
       WHERE j.tenant_id = l.tenant_id AND j.id = l.id RETURNING j.id`,
      [held.map((h) => h.tenantId), held.map((h) => h.id), held.map((h) => h.fence), leaseMs],
    );
    return new Set(rows.map((row) => row.id));
  }

  /** Writes how jobs ended; returns the ids of those that were still this fence's to end. */
  async end(endings: readonly Ending[]): Promise<Set<number>> {
    const rows = await this.system.query<{ id: number }>('end jobs', END, [
      endings.map((e) => e.tenantId),
      endings.map((e) => e.id),
      endings.map((e) => e.fence),
      endings.map((e) => e.outcome),
      endings.map((e) => e.delayMs),
      endings.map((e) => e.error),
    ]);
    return new Set(rows.map((row) => row.id));
  }

  /** For each of these tenants and kinds, whether a job of it is due. */
  async isDue(queues: readonly Queue[]): Promise<boolean[]> {
    const rows = await this.system.query<{ n: number }>(
      'due jobs',
      // run_at is rounded to milliseconds, possibly upwards.
      `SELECT q.n FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY q(tenant_id, kind, n)
       WHERE EXISTS (SELECT FROM jobs j WHERE j.state = 'queued' AND j.tenant_id = q.tenant_id AND j.kind = q.kind
         AND j.run_at <= statement_timestamp() + interval '1 ms')`,
      [queues.map(({ tenantId }) => tenantId), queues.map(({ kind }) => kind)],
    );
    const due = new Set(rows.map(({ n }) => n));
    return queues.map((_, i) => due.has(i + 1));
  }

  /** Within a transaction of the tenant. */
  async insert(sql: Sql, tenantId: string, jobs: readonly NewJob[]): Promise<void> {
    await sql.query(INSERT, insertValues(tenantId, jobs));
  }

  /** In a transaction of its own. */
  async add(tenantId: string, jobs: readonly NewJob[]): Promise<void> {
    await this.database.query('add jobs', tenantId, INSERT, insertValues(tenantId, jobs));
  }

  /** Dead jobs of a kind, newest first. */
  dead(tenantId: string, kind: string, limit: number): Promise<DeadJobRow[]> {
    return this.database.query<DeadJobRow>(
      'dead jobs',
      tenantId,
      `SELECT id, kind, key, payload, attempts, last_error AS error, created_at, ended_at FROM jobs
       WHERE tenant_id = $1 AND kind = $2 AND state = 'dead' ORDER BY ended_at DESC, id DESC LIMIT $3`,
      [tenantId, kind, limit],
    );
  }

  /** Makes dead jobs due again with all their attempts; returns the ids of those that were dead. */
  async revive(tenantId: string, kind: string, ids: readonly number[]): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      'revive jobs',
      tenantId,
      `UPDATE jobs SET state = 'queued', attempts = 0, run_at = clock_timestamp(), ended_at = NULL
       WHERE tenant_id = $1 AND kind = $2 AND state = 'dead' AND id = ANY ($3::bigint[]) RETURNING id`,
      [tenantId, kind, ids],
    );
    return rows.map((row) => row.id);
  }

  /** Forgets dead jobs; returns the ids of those that were dead. */
  async drop(tenantId: string, kind: string, ids: readonly number[]): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      'drop dead jobs',
      tenantId,
      `DELETE FROM jobs WHERE tenant_id = $1 AND kind = $2 AND state = 'dead' AND id = ANY ($3::bigint[]) RETURNING id`,
      [tenantId, kind, ids],
    );
    return rows.map((row) => row.id);
  }

  /** Forgets dead jobs of all tenants that are older than this; at most 5,000 a call. */
  @Every(60 * 60_000, 'dead jobs purge')
  async purgeDead(days = DEAD_DAYS): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'purge dead jobs',
      `WITH gone AS (DELETE FROM jobs WHERE ctid IN (SELECT ctid FROM jobs WHERE state = 'dead'
         AND ended_at < clock_timestamp() - make_interval(days => $1) LIMIT 5000) RETURNING 1)
       SELECT count(*)::int AS n FROM gone`,
      [days],
    );
    return rows[0]?.n ?? 0;
  }

  /** How many jobs of all tenants are in which state. */
  counts(): Promise<{ state: string; n: number }[]> {
    return this.system.query('count jobs', 'SELECT state, count(*) AS n FROM jobs GROUP BY state');
  }
}

/** A done job is deleted: the table holds work and what was given up, and stays as small as that. */
const END = `
WITH given AS MATERIALIZED (
  SELECT g.*, l.id AS held FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[])
    g(tenant_id, id, fence, outcome, delay_ms, error),
    LATERAL (SELECT x.id FROM jobs x WHERE x.tenant_id = g.tenant_id AND x.id = g.id AND x.fence = g.fence
      AND x.state = 'running' FOR UPDATE) l
), gone AS (
  DELETE FROM jobs j USING given g
  WHERE j.tenant_id = g.tenant_id AND j.id = g.id AND g.outcome = 'done' RETURNING j.id
), kept AS (
  UPDATE jobs j SET state = CASE WHEN g.outcome = 'dead' THEN 'dead' ELSE 'queued' END,
    attempts = j.attempts - CASE WHEN g.outcome = 'released' THEN 1 ELSE 0 END,
    run_at = CASE WHEN g.delay_ms = 0 THEN j.run_at ELSE clock_timestamp() + g.delay_ms * interval '1 ms' END,
    lease_until = NULL,
    last_error = COALESCE(g.error, j.last_error),
    ended_at = CASE WHEN g.outcome = 'dead' THEN clock_timestamp() END
  FROM given g WHERE j.tenant_id = g.tenant_id AND j.id = g.id AND g.outcome <> 'done' RETURNING j.id
)
SELECT id FROM gone UNION ALL SELECT id FROM kept`;

const INSERT = `
INSERT INTO jobs (tenant_id, kind, key, payload, run_at)
SELECT $1, n.kind, n.key, n.payload::jsonb, clock_timestamp() + n.delay_ms * interval '1 ms'
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) n(kind, key, payload, delay_ms)`;

function insertValues(tenantId: string, jobs: readonly NewJob[]): unknown[] {
  return [
    tenantId,
    jobs.map((j) => j.kind),
    jobs.map((j) => j.key),
    jobs.map((j) => JSON.stringify(j.payload)),
    jobs.map((j) => j.delayMs ?? 0),
  ];
}

const RETRY_MS = 250;

/** Writes how jobs ended, in batches, again and again until the database takes it: the fence makes that harmless. */
@Injectable()
export class Endings {
  private hasGivenUp = false;
  private readonly batching = new Batching<Ending, boolean>(async (endings) => {
    const stored = await this.store(endings);
    return endings.map(({ id }) => stored.has(id));
  });

  private readonly looks = new Batching<Queue, boolean>((queues) => this.repository.isDue(queues));

  constructor(
    @Inject(JobsRepository) private readonly repository: Pick<JobsRepository, 'end' | 'isDue'>,
    @Inject(Bus) private readonly bus: Pick<Bus, 'isShared'>,
  ) {}

  /** Resolves when it is stored: false when the job had been taken over, or could not be written before `giveUp`. */
  write(ending: Ending): Promise<boolean> {
    return this.batching.submit(ending);
  }

  /**
   * Whether the end of a job, once it is stored, may let another one of its tenant and kind begin that a limit held back: where
   * there are other nodes, one of those may have seen it and this one not. Not knowing is a yes.
   */
  async letsAnotherBegin(queue: Queue): Promise<boolean> {
    return this.bus.isShared && (await this.looks.submit(queue).catch(() => true));
  }

  /** Whatever cannot be written now will not be: the leases run out instead. */
  giveUp(): void {
    this.hasGivenUp = true;
  }

  private async store(endings: readonly Ending[]): Promise<ReadonlySet<number>> {
    for (;;) {
      try {
        return await this.repository.end(endings);
      } catch {
        if (this.hasGivenUp) return new Set();
        await pause(RETRY_MS);
      }
    }
  }
}
