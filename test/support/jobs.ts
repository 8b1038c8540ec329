import { randomUUID } from 'node:crypto';
import { ManualClock } from '../../src/common/time';
import { MemoryBus, MemoryNodeRegistry, type NodeRegistry } from '../../src/platform/cluster';
import type { OpenDatabase, SystemDatabase } from '../../src/platform/database';
import { type Job, Jobs, type NewJob } from '../../src/platform/jobs';
import {
  type ClaimRequest,
  type Ending,
  Endings,
  type JobClaim,
  JobsRepository,
} from '../../src/platform/jobs/jobs.repository';
import type { BoundRunner } from '../../src/platform/jobs/job';
import { JobWakes } from '../../src/platform/jobs/jobs';
import { JobWorker } from '../../src/platform/jobs/worker';
import { SilentLog } from '../../src/platform/logging';
import type { TestDatabase } from './database';
import { openTestDatabase } from './open-database';
import { uuidOf } from './tenants';

/** A worker of one node, without timers: the test says when it looks and when it renews. */
export interface TestNode {
  readonly worker: JobWorker;
  readonly clock: ManualClock;
  /** What became of its attempts, in order. */
  readonly ended: string[];
  /** From here on nothing that it writes arrives, as if it was killed. */
  kill(): void;
}

export interface JobsFixture {
  readonly database: TestDatabase;
  readonly open: OpenDatabase;
  readonly repository: JobsRepository;
  readonly jobs: Jobs;
  tenant(): Promise<string>;
  node(handlers: Readonly<Record<string, BoundRunner>>): TestNode;
  add(tenantId: string, kind: string, n: number, more?: Partial<NewJob>): Promise<void>;
  /** All jobs, oldest first. */
  rows(): Promise<{ kind: string; key: string; state: string; attempts: number; last_error: string | null }[]>;
  /** Makes leases run out, and delays end. */
  letLeasesRunOut(): Promise<void>;
  letDelaysEnd(): Promise<void>;
  /** One claim, with how many rows of the table it fetched. */
  claimed(request: ClaimRequest): Promise<{ result: JobClaim; rows: number }>;
  /** The planner believes from now on that all jobs are in this state, or that there are none. */
  believeAll(state: 'queued' | 'running' | 'dead' | 'gone'): Promise<void>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** A handler with few words: everything that is not said is generous. */
export function jobHandler(run: BoundRunner['run'], more: Partial<BoundRunner> = {}): BoundRunner {
  return { run, schedule: [60_000], maxAttempts: 5, concurrency: 100, perTenant: 100, ...more };
}

/** Work that waits until the test lets it go. */
export class JobGate {
  readonly started: Job[] = [];
  private readonly waiting: (() => void)[] = [];
  private isOpen = false;

  readonly run = async (job: Job): Promise<void> => {
    this.started.push(job);
    if (!this.isOpen) await new Promise<void>((resolve) => this.waiting.push(resolve));
  };

  open(): void {
    this.isOpen = true;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** A job of a kind that nobody runs, in a state; its id. */
export async function deadJob(
  database: TestDatabase,
  tenant: { readonly tenantId: string },
  state: 'queued' | 'running' | 'dead' = 'dead',
): Promise<string> {
  const [row] = await database.sql<{ id: string }>(
    // A long number: that of a new database is found in many texts.
    `INSERT INTO jobs (id, tenant_id, kind, key, payload, state, run_at, attempts, last_error, ended_at)
     OVERRIDING SYSTEM VALUE VALUES (700000000000 + nextval(pg_get_serial_sequence('jobs', 'id')), $1, 'nobodys', 'key', '{"room_id":"a-room","content":"c4n4ry"}', $2, now() + interval '1 day', 3, 'boom',
       CASE WHEN $2 = 'dead' THEN now() END) RETURNING id::text`,
    [uuidOf(tenant.tenantId), state],
  );
  return row?.id ?? '';
}

/** Call in beforeAll; `close` in afterAll. */
export async function startJobs(): Promise<JobsFixture> {
  const { database, open, close } = await openTestDatabase();
  const repository = new JobsRepository(open.database, open.system);
  const sql = database.sql.bind(database);
  return {
    database,
    open,
    repository,
    jobs: new Jobs(repository, new JobWakes(new MemoryBus('node', () => undefined), someNodes())),
    tenant: async () => {
      const tenantId = randomUUID();
      await sql('INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)', [tenantId, 'test']);
      return tenantId;
    },
    node: (handlers) => nodeOn(repository, handlers),
    add: (tenantId, kind, n, more = {}) =>
      repository.add(
        tenantId,
        Array.from({ length: n }, (_, i) => ({ kind, key: 'key', payload: { i }, ...more })),
      ),
    rows: () => sql('SELECT kind, key, state, attempts, last_error FROM jobs ORDER BY id'),
    letLeasesRunOut: async () => {
      await sql(`UPDATE jobs SET lease_until = now() - interval '1 hour' WHERE state = 'running'`);
    },
    letDelaysEnd: async () => {
      await sql(`UPDATE jobs SET run_at = now() - interval '1 hour' WHERE state = 'queued'`);
    },
    claimed: (request) => claimed(open, request),
    believeAll: async (state) => {
      const lease = state === 'running' ? 'now()' : 'NULL';
      const end = state === 'dead' ? 'now()' : 'NULL';
      if (state === 'gone') await sql('DELETE FROM jobs');
      else await sql(`UPDATE jobs SET state = '${state}', lease_until = ${lease}, ended_at = ${end}`);
      await sql('ANALYZE jobs');
    },
    clear: async () => {
      await sql('DELETE FROM jobs');
    },
    close,
  };
}

async function claimed(open: OpenDatabase, request: ClaimRequest): Promise<{ result: JobClaim; rows: number }> {
  return open.system.transaction('test', async (sql) => {
    // Counts of the session that were not handed on yet, earlier transactions' among them.
    const fetched = async (): Promise<number> => {
      const [row] = await sql.query<{ n: number }>(
        `SELECT seq_tup_read + idx_tup_fetch AS n FROM pg_stat_xact_user_tables WHERE relname = 'jobs'`,
      );
      return row?.n ?? NaN;
    };
    const query = (_name: string, text: string, values: readonly unknown[]) => sql.query(text, values);
    const inside = new JobsRepository(open.database, { query } as unknown as SystemDatabase);
    const before = await fetched();
    const result = await inside.claim(request);
    return { result, rows: (await fetched()) - before };
  });
}

function someNodes(): NodeRegistry {
  return new MemoryNodeRegistry(new ManualClock(), () => undefined);
}

function nodeOn(repository: JobsRepository, kinds: Readonly<Record<string, BoundRunner>>): TestNode {
  const clock = new ManualClock();
  const ended: string[] = [];
  let isDead = false;
  const never = new Promise<never>(() => undefined);
  const worker = new JobWorker(
    repository,
    { all: new Map(Object.entries(kinds)) },
    new Endings(
      {
        end: (endings: readonly Ending[]) => (isDead ? never : repository.end(endings)),
        isDue: (queues) => repository.isDue(queues),
      },
      { isShared: false },
    ),
    clock,
    { ended: (_kind, outcome) => ended.push(outcome), claimed: () => undefined },
    new SilentLog(),
  );
  return { worker, clock, ended, kill: () => (isDead = true) };
}
