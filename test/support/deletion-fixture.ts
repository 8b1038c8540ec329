import '../../src/app.module';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/common/time';
import { Audit, AuditRepository } from '../../src/platform/audit';
import type { Database, OpenDatabase, SystemDatabase } from '../../src/platform/database';
import { PostponeJob } from '../../src/platform/jobs';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { tableData } from '../../src/platform/tenant-data';
import { type DeletionRef, tenantDeletionBegin } from '../../src/modules/removal/deletion/deletion.functions';
import { DeletionRunner } from '../../src/modules/removal/deletion/deletion.job';
import { DeletionsRepository } from '../../src/modules/removal/deletion/deletions.repository';
import { TenantRowsRepository } from '../../src/modules/removal/deletion/rows.repository';
import { TenantDeleter } from '../../src/modules/removal/deletion/tenant-deleter';
import { AppendFixture } from './append-model';
import { tenantTables } from './database';
import { TEST_SECRETS } from './effects-fixture';
import { sampleRows } from './sample-rows';

/** What kills a server: within a transaction that has done its work, or behind its commit. */
export type Death = 'before the commit' | 'after the commit';

/** Says of what a transaction has done whether the server dies of it. */
export type Fate = (name: string, result: unknown) => Death | undefined;

class Killed extends Error {}

/** The job of a deletion, as its runner gets it. */
export function jobOf({ tenantId, deletionId }: DeletionRef): Parameters<DeletionRunner['run']>[0] {
  const payload = { deletion_id: deletionId };
  return { id: 1, tenantId, kind: 'tenant.delete', key: 'delete', payload, attempt: 1, createdAt: new Date() };
}

/** What one server has of the deletion. */
interface Deleting {
  readonly rows: TenantRowsRepository;
  readonly deletions: DeletionsRepository;
  readonly deleter: TenantDeleter;
  readonly runner: DeletionRunner;
}

/** Deletes tenants without a server, which can be killed anywhere. */
export class DeletionFixture {
  private constructor(readonly bench: AppendFixture) {}

  /** Call in beforeAll; `close` in afterAll. */
  static async start(): Promise<DeletionFixture> {
    const bench = await AppendFixture.start();
    const { source } = bench.open;
    source.setOptions({ entities: [...tableData().keys()] as (new () => object)[] });
    await source.initialize();
    return new DeletionFixture(bench);
  }

  close(): Promise<void> {
    return this.bench.close();
  }

  /** A tenant with a row in every table. */
  async furnished(): Promise<string> {
    const tenantId = randomUUID();
    await this.sql(sampleRows(tenantId));
    return tenantId;
  }

  sql<R extends object>(text: string, values?: unknown[]): Promise<R[]> {
    return this.bench.database.sql<R>(text, values);
  }

  /** Begins the deletion of a tenant, so long ago that nobody is served any more. */
  async begin(tenantId: string): Promise<DeletionRef> {
    const [{ name } = { name: '' }] = await this.sql<{ name: string }>(
      'SELECT name FROM tenants WHERE tenant_id = $1',
      [tenantId],
    );
    const args = { p_deletion: randomUUID(), p_confirm: name, p_request: 'request', p_address: '192.0.2.1' };
    const { deletion_id } = await tenantDeletionBegin.call(this.bench.open.database, tenantId, args);
    await this.sql(`UPDATE tenant_deletions SET started_at = started_at - interval '1 minute' WHERE tenant_id = $1`, [
      tenantId,
    ]);
    return { tenantId, deletionId: deletion_id };
  }

  /** A server that dies as its fate says. */
  server(fate: Fate = () => undefined): Deleting {
    const { open } = this.bench;
    const [database, system] = mortal(open, fate);
    const rows = new TenantRowsRepository(database);
    const audit = new Audit(TEST_SECRETS);
    const deletions = new DeletionsRepository(
      ...[database, system, rows, audit],
      new AuditRepository(database),
      TEST_SECRETS,
    );
    const config = { dataDir: join(tmpdir(), 'no-data') };
    const deleter = new TenantDeleter(
      ...[database, deletions, rows, config],
      new Metrics(new SilentLog()),
      new SystemClock(),
    );
    return { rows, deletions, deleter, runner: new DeletionRunner(deletions, deleter) };
  }

  /** Goes on with a deletion; false: the server was killed. */
  async live(deletion: DeletionRef, fate?: Fate): Promise<boolean> {
    const { runner } = this.server(fate);
    for (;;) {
      try {
        await runner.run(jobOf(deletion), new AbortController().signal);
        return true;
      } catch (error) {
        if (error instanceof Killed) return false;
        if (!(error instanceof PostponeJob)) throw error;
      }
    }
  }

  /** How many rows a tenant has, by table. */
  async counts(tenantId: string): Promise<Record<string, number>> {
    const tables = await tenantTables(this.bench.database);
    const each = tables.map(
      (table) => `SELECT '${table}' AS name, count(*)::int AS n FROM "${table}" WHERE tenant_id = $1`,
    );
    const rows = await this.sql<{ name: string; n: number }>(`${each.join(' UNION ALL ')} ORDER BY 1`, [tenantId]);
    return Object.fromEntries(rows.filter(({ n }) => n > 0).map(({ name, n }) => [name, n]));
  }

  /** All rows of a tenant, to the byte. */
  async dump(tenantId: string): Promise<string[]> {
    const tables = await tenantTables(this.bench.database);
    const each = tables.map((table) => `SELECT '${table} ' || t::text AS row FROM "${table}" t WHERE tenant_id = $1`);
    const rows = await this.sql<{ row: string }>(`${each.join(' UNION ALL ')} ORDER BY 1`, [tenantId]);
    return rows.map(({ row }) => row);
  }

  async told(tenantId: string): Promise<{ state: string; deleted: Record<string, number> }> {
    const [row] = await this.sql<{ state: string; deleted: Record<string, number> }>(
      'SELECT state, deleted FROM tenant_deletions WHERE tenant_id = $1',
      [tenantId],
    );
    if (!row) throw new Error('there is no deletion of this tenant');
    return row;
  }
}

/** The same databases, of a server with a fate. */
function mortal({ database, system }: OpenDatabase, fate: Fate): [Database, SystemDatabase] {
  async function dying<T>(name: string, run: (done: (result: T) => void) => Promise<T>): Promise<T> {
    let death: Death | undefined;
    const result = await run((done) => {
      death = fate(name, done);
      if (death === 'before the commit') throw new Killed();
    });
    if (death !== undefined) throw new Killed();
    return result;
  }
  const transaction: Database['transaction'] = (name, tenantId, work) =>
    dying(name, (done) =>
      database.transaction(name, tenantId, async (tx) => {
        const result = await work(tx);
        done(result);
        return result;
      }),
    );
  const systemTransaction: SystemDatabase['transaction'] = (name, work, deadlineMs) =>
    dying(name, (done) =>
      system.transaction(
        name,
        async (tx) => {
          const result = await work(tx);
          done(result);
          return result;
        },
        deadlineMs,
      ),
    );
  return [
    Object.assign(Object.create(database) as Database, { transaction }),
    Object.assign(Object.create(system) as SystemDatabase, { transaction: systemTransaction }),
  ];
}
