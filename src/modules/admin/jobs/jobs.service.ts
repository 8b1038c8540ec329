import { Injectable } from '@nestjs/common';
import { AppError, invalid, notFound } from '../../../common/errors';
import { encodeId } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { askedPage, pageOf } from '../../../platform/http';
import { Effects } from '../../../platform/idempotency';
import { idsOf, type JobFilter, JobListsRepository, type JobRow, Jobs, TIME_OF } from '../../../platform/jobs';
import { TenantsService } from '../../tenants';
import type { JobDto, JobKindDto, JobsDto, JobsQueryDto } from '../dto/job.dto';

/** Numbers of jobs are told up to here: a count costs what it counts. */
const MOST = 10_000;
const JOB_ID = /^[1-9]\d{0,14}$/;

/** Shows the jobs of a tenant, or of all, and runs one now. */
@Injectable()
export class AdminJobsService {
  constructor(
    private readonly lists: JobListsRepository,
    private readonly jobs: Jobs,
    private readonly tenants: TenantsService,
    private readonly effects: Effects,
  ) {}

  async list(caller: Caller, query: JobsQueryDto): Promise<JobsDto> {
    const isOfAll = caller.kind === 'master' && query.tenant_id === undefined;
    const tenantId = isOfAll ? undefined : await this.tenants.scoped(caller, query.tenant_id);
    const filter: JobFilter = { kind: query.kind, state: query.state ?? 'dead' };
    const { limit, after } = askedPage(query, ['text', 'time', 'integer']);
    if (tenantId === undefined && filter.state === 'queued')
      throw invalid('tenant_id', 'tenant_id is required to list what is queued');
    const [counts, rows] = await Promise.all([
      this.lists.counts(tenantId, MOST),
      tenantId === undefined
        ? this.lists.ofAll(filter, after, limit + 1)
        : this.lists.ofTenant(tenantId, filter, after, limit + 1),
    ]);
    const kinds = counts
      .filter(({ kind }) => query.kind === undefined || kind === query.kind)
      .map(({ due_at, ...numbers }): JobKindDto => ({ ...numbers, oldest_due_at: due_at?.toISOString() ?? null }));
    return { kinds, ...pageOf(rows, limit, (row) => placeOf(row, filter), jobView) };
  }

  /** Throws 404 for a job that is not there, 409 for one that runs. */
  async run(caller: Caller, tenant: string | undefined, jobId: string): Promise<JobDto> {
    const tenantId = await this.tenants.scoped(caller, tenant);
    if (!JOB_ID.test(jobId)) throw notFound('Job');
    const { job } = await this.effects.transaction(
      caller,
      'run job now',
      async (tx) => {
        const row = await this.lists.runNow(tx, tenantId, Number(jobId));
        return { status: row?.state === 'queued' ? 'ok' : 'refused', job: row && jobView(row) };
      },
      {
        tenantId,
        audit: { action: 'job.run', entry: ({ job }) => job && { target: job.job_id, details: { kind: job.kind } } },
      },
    );
    if (job === undefined) throw notFound('Job');
    if (job.state === 'running')
      throw new AppError('CONFLICT', 'The job is running', { details: { reason: 'running' } });
    this.jobs.wake();
    return job;
  }
}

function placeOf(row: JobRow, { state }: JobFilter): readonly (string | number)[] {
  return [row.kind, (row[TIME_OF[state]] ?? row.created_at).toISOString(), row.id];
}

function jobView(row: JobRow): JobDto {
  return {
    job_id: String(row.id),
    tenant_id: encodeId('tenant', row.tenant_id),
    kind: row.kind,
    key: row.key,
    state: row.state,
    attempts: row.attempts,
    last_error: row.last_error,
    about: idsOf(row.payload),
    created_at: row.created_at.toISOString(),
    due_at: row.run_at.toISOString(),
    dead_at: row.ended_at?.toISOString() ?? null,
  };
}
