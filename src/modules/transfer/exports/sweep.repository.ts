import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database';
import type { ExportFile } from './export-files';

/** Rows of one statement. */
const BATCH = 500;
/** Days for which it is told that there was an export. */
const KEPT_DAYS = 30;

/** Exports of all tenants, for the sweep. */
@Injectable()
export class ExportSweepRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Files whose time is up, some of them. */
  expired(): Promise<ExportFile[]> {
    return this.system.query<ExportFile>(
      'expired exports',
      `SELECT tenant_id AS "tenantId", export_id AS "exportId", attempt FROM exports
       WHERE expires_at <= clock_timestamp() AND state = 'ready' ORDER BY expires_at LIMIT ${BATCH}`,
    );
  }

  /** Says that their files are gone. */
  async markExpired(files: readonly ExportFile[]): Promise<void> {
    await this.system.query(
      'mark expired exports',
      `UPDATE exports e SET state = 'expired' FROM unnest($1::uuid[], $2::uuid[]) f(tenant_id, export_id)
       WHERE e.tenant_id = f.tenant_id AND e.export_id = f.export_id AND e.state = 'ready'
         AND e.expires_at <= clock_timestamp()`,
      [files.map(({ tenantId }) => tenantId), files.map(({ exportId }) => exportId)],
    );
  }

  /** Those of the files that no export has, or has any more. */
  async unowned(files: readonly ExportFile[]): Promise<ExportFile[]> {
    const rows = await this.system.query<{ n: number }>(
      'owned export files',
      `SELECT f.n::integer AS n FROM unnest($1::uuid[], $2::uuid[], $3::integer[])
         WITH ORDINALITY f(tenant_id, export_id, attempt, n)
       JOIN exports e ON e.tenant_id = f.tenant_id AND e.export_id = f.export_id AND e.attempt = f.attempt
         AND e.state IN ('running', 'ready')`,
      [
        files.map(({ tenantId }) => tenantId),
        files.map(({ exportId }) => exportId),
        files.map(({ attempt }) => attempt),
      ],
    );
    const owned = new Set(rows.map(({ n }) => n - 1));
    return files.filter((_, n) => !owned.has(n));
  }

  /** Forgets exports of long ago; returns how many. */
  async purge(): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'purge exports',
      `WITH gone AS (DELETE FROM exports WHERE ctid IN (SELECT ctid FROM exports
         WHERE expires_at < clock_timestamp() - make_interval(days => ${KEPT_DAYS})
           AND state IN ('expired', 'failed') LIMIT ${BATCH}) RETURNING 1)
       SELECT count(*)::integer AS n FROM gone`,
    );
    return rows[0]?.n ?? 0;
  }
}
