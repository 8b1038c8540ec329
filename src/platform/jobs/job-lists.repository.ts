import { Injectable } from '@nestjs/common';
import { Database, type Sql, SystemDatabase } from '../database';
import type { JobEntity } from './entities/job.entity';

export type JobState = JobEntity['state'];

/** A job as an operator sees it. */
export type JobRow = Readonly<
  Pick<
    JobEntity,
    | 'tenant_id'
    | 'id'
    | 'kind'
    | 'key'
    | 'payload'
    | 'state'
    | 'run_at'
    | 'attempts'
    | 'last_error'
    | 'created_at'
    | 'ended_at'
  >
>;

/** How much there is of a kind. */
export interface JobCounts {
  readonly kind: string;
  readonly queued: number;
  readonly running: number;
  readonly dead: number;
  /** When the one that is due for longest was due, or the next one will be; null: none waits. */
  readonly due_at: Date | null;
}

/** Which jobs are listed. */
export interface JobFilter {
  readonly kind: string | undefined;
  readonly state: JobState;
}

/** Where a list goes on: kind, time and id of the last job. Of all tenants together the kind says nothing. */
export type JobPlace = readonly [kind: string, at: string, id: number];

const COLUMNS = 'tenant_id, id, kind, key, payload, state, run_at, attempts, last_error, created_at, ended_at';

/** What the jobs of a state are sorted by: the column of its index, but of the few that run, which need none. */
export const TIME_OF: Readonly<Record<JobState, 'run_at' | 'created_at' | 'ended_at'>> = {
  queued: 'run_at',
  running: 'created_at',
  dead: 'ended_at',
};

/** How the index of a state goes on behind tenant and kind. */
const ORDER_OF: Readonly<Record<JobState, string>> = {
  queued: 'j.run_at, j.id',
  running: 'j.key',
  dead: 'j.ended_at, j.id',
};

/** What operators ask of jobs. Nothing here reads more rows as a queue grows. */
@Injectable()
export class JobListsRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /** By kind, each number counted up to `most`. @param tenantId undefined: of all tenants */
  counts(tenantId: string | undefined, most: number): Promise<JobCounts[]> {
    return tenantId === undefined
      ? this.system.query('count jobs by kind', COUNTS_OF_ALL, [most])
      : this.database.query('count jobs by kind', tenantId, COUNTS_OF_ONE, [most, tenantId]);
  }

  /** Of a tenant, by kind, the longest first. */
  ofTenant(
    tenantId: string,
    { kind, state }: JobFilter,
    after: JobPlace | undefined,
    limit: number,
  ): Promise<JobRow[]> {
    const time = TIME_OF[state];
    const values: unknown[] = [tenantId, limit];
    const given = (value: unknown): string => `$${values.push(value)}`;
    const where = [`tenant_id = $1 AND state = '${state}'`];
    if (kind !== undefined) where.push(`kind = ${given(kind)}`);
    if (after !== undefined)
      where.push(
        `(kind, ${time}, id) > (${given(after[0])}, ${given(after[1])}::timestamptz, ${given(after[2])}::bigint)`,
      );
    return this.database.query(
      'list jobs',
      tenantId,
      `SELECT ${COLUMNS} FROM jobs WHERE ${where.join(' AND ')} ORDER BY kind, ${time}, id LIMIT $2`,
      values,
    );
  }

  /** Of all tenants, the longest first; for states of which an index knows all: not what is queued. */
  ofAll({ kind, state }: JobFilter, after: JobPlace | undefined, limit: number): Promise<JobRow[]> {
    const time = TIME_OF[state];
    const values: unknown[] = [limit];
    const given = (value: unknown): string => `$${values.push(value)}`;
    const where = [`state = '${state}'`];
    if (kind !== undefined) where.push(`kind = ${given(kind)}`);
    if (after !== undefined)
      where.push(`(${time}, id) > (${given(after[1])}::timestamptz, ${given(after[2])}::bigint)`);
    return this.system.query(
      'list jobs of all tenants',
      `SELECT ${COLUMNS} FROM jobs WHERE ${where.join(' AND ')} ORDER BY ${time}, id LIMIT $1`,
      values,
    );
  }

  /** Makes a job due at once, one that was given up with all its attempts; a job that runs stays as it is. */
  async runNow(sql: Sql, tenantId: string, id: number): Promise<JobRow | undefined> {
    const rows = await sql.query<JobRow>(
      `WITH due AS (
         UPDATE jobs SET state = 'queued', attempts = CASE WHEN state = 'dead' THEN 0 ELSE attempts END,
           run_at = clock_timestamp(), ended_at = NULL
         WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'dead') RETURNING ${COLUMNS})
       SELECT ${COLUMNS} FROM due UNION ALL
       SELECT ${COLUMNS} FROM jobs WHERE tenant_id = $1 AND id = $2 AND state = 'running'`,
      [tenantId, id],
    );
    return rows[0];
  }
}

/**
 * By jumping from tenant and kind to tenant and kind: each costs a few look-ups in the index of its state, however many
 * jobs it has, and as many rows of that index as are counted.
 */
function countsOf(isOfOne: boolean): string {
  const own = isOfOne ? 'j.tenant_id = $2 AND ' : '';
  // Each in the whole order of its index: with a part of it, another index or a scan of the table may look as cheap, and is not.
  const pairs = (state: JobState): string => `
    (SELECT '${state}' AS state, j.tenant_id, j.kind FROM jobs j WHERE ${own}j.state = '${state}'
     ORDER BY j.tenant_id, j.kind, ${ORDER_OF[state]} LIMIT 1)
    UNION ALL
    SELECT '${state}', n.tenant_id, n.kind FROM ${state}_pairs p, LATERAL (
      SELECT j.tenant_id, j.kind FROM jobs j WHERE ${own}j.state = '${state}'
        AND (j.tenant_id, j.kind) > (p.tenant_id, p.kind) ORDER BY j.tenant_id, j.kind, ${ORDER_OF[state]} LIMIT 1) n`;
  const counted = (state: JobState, dueAt: string): string => `
    SELECT p.kind, p.state, c.n, ${dueAt} AS due_at FROM ${state}_pairs p, LATERAL (
      SELECT count(*) AS n FROM (SELECT 1 FROM jobs j WHERE j.tenant_id = p.tenant_id AND j.kind = p.kind
        AND j.state = '${state}' ORDER BY ${ORDER_OF[state]} LIMIT $1) l) c`;
  const first = `(SELECT j.run_at FROM jobs j WHERE j.tenant_id = p.tenant_id AND j.kind = p.kind AND j.state = 'queued'
    ORDER BY ${ORDER_OF.queued} LIMIT 1)`;
  return `
  WITH RECURSIVE queued_pairs AS (${pairs('queued')}), running_pairs AS (${pairs('running')}), dead_pairs AS (${pairs('dead')})
  SELECT kind, LEAST($1::bigint, COALESCE(sum(n) FILTER (WHERE state = 'queued'), 0))::integer AS queued,
    LEAST($1, COALESCE(sum(n) FILTER (WHERE state = 'running'), 0))::integer AS running,
    LEAST($1, COALESCE(sum(n) FILTER (WHERE state = 'dead'), 0))::integer AS dead, min(due_at) AS due_at
  FROM (${counted('queued', first)} UNION ALL ${counted('running', 'NULL')} UNION ALL ${counted('dead', 'NULL')}) each
  GROUP BY kind ORDER BY kind`;
}

const COUNTS_OF_ALL = countsOf(false);
const COUNTS_OF_ONE = countsOf(true);
