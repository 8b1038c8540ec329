import { Injectable } from '@nestjs/common';
import { Database, type Sql } from '../../../platform/database';
import type { ExportEntity, ExportKind } from '../entities/export.entity';
import type { ExportFile, WrittenFile } from './export-files';

/** An export as it is now: one whose time is up is expired, be its file there or not. */
export type ExportRow = Readonly<Omit<ExportEntity, 'tenant_id'>>;

/** Whose data: a user's, or the whole tenant's. */
export interface ExportOf {
  readonly kind: ExportKind;
  /** undefined: the tenant's. */
  readonly userId: string | undefined;
}

/** Why there is no export: one of the same data is not finished, or too many files lie there. */
export type ExportRefusal = 'running' | 'too_many';

/** Finished files of a tenant that may lie there at once. */
const MOST: Readonly<Record<ExportKind, number>> = { tenant: 10, user: 1000 };

const COLUMNS = `export_id, kind, user_id,
  CASE WHEN state = 'ready' AND expires_at <= clock_timestamp() THEN 'expired' ELSE state END AS state,
  attempt, line_count, bytes, sha256, error, created_at, ready_at, expires_at`;

/** Exports of one tenant. */
@Injectable()
export class ExportsRepository {
  constructor(private readonly database: Database) {}

  /** Makes an export that waits to be written, unless one of the same data does, or too many files lie there. */
  async insert(sql: Sql, tenantId: string, exportId: string, of: ExportOf): Promise<ExportRow | ExportRefusal> {
    const { kind, userId } = of;
    const [made] = await sql.query<ExportRow>(
      `INSERT INTO exports (tenant_id, export_id, kind, user_id) SELECT $1, $2, $3, $4
       WHERE (SELECT count(*) FROM (SELECT 1 FROM exports e WHERE e.tenant_id = $1 AND e.kind = $3 AND e.state = 'ready'
         AND e.expires_at > clock_timestamp() LIMIT $5) f) < $5
       ON CONFLICT (tenant_id, COALESCE(user_id, '')) WHERE state IN ('queued', 'running') DO NOTHING RETURNING ${COLUMNS}`,
      [tenantId, exportId, kind, userId ?? null, MOST[kind]],
    );
    if (made !== undefined) return made;
    const open = await sql.query(
      `SELECT 1 FROM exports WHERE tenant_id = $1 AND COALESCE(user_id, '') = COALESCE($2, '')
       AND state IN ('queued', 'running')`,
      [tenantId, userId ?? null],
    );
    return open.length > 0 ? 'running' : 'too_many';
  }

  /** undefined: there is none of this data. */
  async find(tenantId: string, exportId: string, { kind, userId }: ExportOf): Promise<ExportRow | undefined> {
    const rows = await this.database.query<ExportRow>(
      'export',
      tenantId,
      `SELECT ${COLUMNS} FROM exports WHERE tenant_id = $1 AND export_id = $2 AND kind = $3
         AND user_id IS NOT DISTINCT FROM $4`,
      [tenantId, exportId, kind, userId ?? null],
    );
    return rows[0];
  }

  /** Whosever data it is. */
  async findAny(tenantId: string, exportId: string): Promise<ExportRow | undefined> {
    const rows = await this.database.query<ExportRow>(
      'export of a link',
      tenantId,
      `SELECT ${COLUMNS} FROM exports WHERE tenant_id = $1 AND export_id = $2`,
      [tenantId, exportId],
    );
    return rows[0];
  }

  /** Exports of the tenant, newest first. @param before UUID of the last one of the page before */
  page(tenantId: string, before: string | undefined, limit: number): Promise<ExportRow[]> {
    return this.database.query<ExportRow>(
      'exports',
      tenantId,
      `SELECT ${COLUMNS} FROM exports WHERE tenant_id = $1 AND kind = 'tenant'
         AND ($2::uuid IS NULL OR export_id < $2) ORDER BY export_id DESC LIMIT $3`,
      [tenantId, before ?? null, limit],
    );
  }

  /** Takes an export over to write it, from whoever wrote it before; undefined: nobody is to. */
  async begin(tenantId: string, exportId: string): Promise<ExportRow | undefined> {
    const rows = await this.database.query<ExportRow>(
      'begin export',
      tenantId,
      `UPDATE exports SET state = 'running', attempt = attempt + 1
       WHERE tenant_id = $1 AND export_id = $2 AND state IN ('queued', 'running') RETURNING ${COLUMNS}`,
      [tenantId, exportId],
    );
    return rows[0];
  }

  /** Says that the file is there; false where another attempt has taken the export over. */
  async finish(file: ExportFile, written: WrittenFile & { readonly lines: number }, hours: number): Promise<boolean> {
    const rows = await this.database.query(
      'finish export',
      file.tenantId,
      `UPDATE exports SET state = 'ready', line_count = $4, bytes = $5, sha256 = $6, ready_at = clock_timestamp(),
         expires_at = clock_timestamp() + make_interval(hours => $7::integer)
       WHERE tenant_id = $1 AND export_id = $2 AND state = 'running' AND attempt = $3 RETURNING 1`,
      [file.tenantId, file.exportId, file.attempt, written.lines, written.bytes, written.sha256, hours],
    );
    return rows.length > 0;
  }

  /** Nothing where it is ready. @param error in words of this server */
  async fail(tenantId: string, exportId: string, error: string): Promise<void> {
    await this.database.query(
      'fail export',
      tenantId,
      `UPDATE exports SET state = 'failed', error = $3, expires_at = clock_timestamp()
       WHERE tenant_id = $1 AND export_id = $2 AND state IN ('queued', 'running')`,
      [tenantId, exportId, error],
    );
  }

  /** The file of a finished one is not where it was. */
  async lose(tenantId: string, exportId: string): Promise<void> {
    await this.database.query(
      'lose export',
      tenantId,
      `UPDATE exports SET state = 'expired', expires_at = LEAST(expires_at, clock_timestamp())
       WHERE tenant_id = $1 AND export_id = $2 AND state = 'ready'`,
      [tenantId, exportId],
    );
  }
}
