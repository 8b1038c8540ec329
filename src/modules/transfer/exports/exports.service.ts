import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { AppError, notFound, unauthenticated } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import { userIdFault } from '../../../common/text';
import type { AuditAction } from '../../../platform/audit';
import type { Caller } from '../../../platform/auth';
import { askedPage, type CursorQueryDto, type ListPage, pageOf } from '../../../platform/http';
import { Effects } from '../../../platform/idempotency';
import { Jobs } from '../../../platform/jobs';
import { FILE_TICKET_SECONDS, FileTickets, TenantsService, UsersService } from '../../tenants';
import type { ExportDto, FileTicketDto } from '../dto/export.dto';
import { EXPORT } from './export.job';
import { ExportFiles } from './export-files';
import { type ExportOf, type ExportRow, ExportsRepository, type ExportRefusal } from './exports.repository';

/** What a call is about, as it stands in the path. */
export interface ExportPath {
  readonly tenantId: string;
  /** undefined: the tenant's own. */
  readonly userId?: string | undefined;
}

/** A file on its way out. */
export interface Download {
  readonly body: Readable;
  readonly name: string;
  readonly bytes: number;
}

interface Made {
  readonly status: 'ok' | ExportRefusal;
  readonly made?: ExportDto;
}

const REFUSALS: Readonly<Record<ExportRefusal, string>> = {
  running: 'An export of the same data is not finished yet',
  too_many: 'Too many files of exports lie there already: wait until some have expired',
};
const NOT_READY: Readonly<Record<string, string>> = {
  queued: 'The export is not finished yet',
  running: 'The export is not finished yet',
  failed: 'The export has failed: ask for another one',
  expired: 'The file has expired: ask for another export',
};

/** Asks for exports and shows them. */
@Injectable()
export class ExportsService {
  constructor(
    private readonly repository: ExportsRepository,
    private readonly tenants: TenantsService,
    private readonly users: UsersService,
    private readonly effects: Effects,
    private readonly jobs: Jobs,
  ) {}

  /** @throws 404, 409 */
  async ask(caller: Caller, path: ExportPath): Promise<ExportDto> {
    const tenantId = await this.tenants.managed(caller, path.tenantId);
    const { userId } = path;
    if (userId !== undefined && (userIdFault(userId) !== undefined || !(await this.users.exists(tenantId, userId))))
      throw notFound('User');
    const { status, made } = await this.effects.transaction<Made, 'tenant.export' | 'user.export'>(
      caller,
      'ask for export',
      async (tx) => {
        const exportId = newUuid();
        const row = await this.repository.insert(tx, tenantId, exportId, ofPath(path));
        if (typeof row === 'string') return { status: row };
        await this.jobs.enqueue(tx, tenantId, [EXPORT.job(exportId, { export_id: exportId })]);
        return { status: 'ok', made: exportView(row) };
      },
      {
        tenantId,
        audit: {
          action: userId === undefined ? 'tenant.export' : 'user.export',
          entry: ({ made }) => made && { target: made.export_id, user: userId },
        },
      },
    );
    if (status !== 'ok') throw new AppError('CONFLICT', REFUSALS[status], { details: { reason: status } });
    if (made === undefined) throw new Error('an export was made and is not there');
    this.jobs.wake();
    return made;
  }

  async list(caller: Caller, tenant: string, query: CursorQueryDto): Promise<ListPage<ExportDto>> {
    const { limit, after } = askedPage(query, ['uuid']);
    const tenantId = await this.tenants.managed(caller, tenant);
    const rows = await this.repository.page(tenantId, after?.[0], limit + 1);
    return pageOf(rows, limit, ({ export_id }) => [export_id], exportView);
  }

  async show(caller: Caller, path: ExportPath, exportId: string): Promise<ExportDto> {
    const tenantId = await this.tenants.managed(caller, path.tenantId);
    return exportView(await this.found(tenantId, ofPath(path), exportId));
  }

  /** An export whose file can be had. @throws 404, 409 */
  async ready(caller: Caller, path: ExportPath, exportId: string): Promise<{ tenantId: string; row: ExportRow }> {
    const tenantId = await this.tenants.managed(caller, path.tenantId);
    const row = await this.found(tenantId, ofPath(path), exportId);
    if (row.state !== 'ready') throw notReady(row.state);
    return { tenantId, row };
  }

  private async found(tenantId: string, of: ExportOf, exportId: string): Promise<ExportRow> {
    const id = decodeId('export', exportId);
    const row = id === undefined ? undefined : await this.repository.find(tenantId, id, of);
    if (row === undefined) throw notFound('Export');
    return row;
  }
}

/** Hands the files out. */
@Injectable()
export class ExportDownloads {
  constructor(
    private readonly exports: ExportsService,
    private readonly repository: ExportsRepository,
    private readonly files: ExportFiles,
    private readonly tickets: FileTickets,
    private readonly effects: Effects,
  ) {}

  /** The file, to be sent; it is closed with its stream. @throws 404, 409 */
  async open(caller: Caller, path: ExportPath, exportId: string): Promise<Download> {
    const { tenantId, row } = await this.exports.ready(caller, path, exportId);
    const download = await this.openRow(tenantId, row);
    try {
      await this.effects.announce(caller, tenantId, actionOf('file', path), {
        target: exportId,
        user: path.userId,
        details: { asked: true },
      });
    } catch (error) {
      download.body.destroy();
      throw error;
    }
    return download;
  }

  /** A link that opens the file once, within a minute. @throws 404, 409 */
  async link(caller: Caller, path: ExportPath, exportId: string): Promise<FileTicketDto> {
    const { tenantId, row } = await this.exports.ready(caller, path, exportId);
    await this.effects.announce(caller, tenantId, actionOf('link', path), { target: exportId, user: path.userId });
    const ticket = this.tickets.sign({ tenantId, file: row.export_id });
    return { url: `/exports/file?ticket=${ticket}`, expires_in: FILE_TICKET_SECONDS };
  }

  /** @throws 401, 404, 409 */
  async openTicket(ticket: string | undefined): Promise<Download> {
    const grant = ticket === undefined ? undefined : await this.tickets.redeem(ticket);
    if (grant === undefined) throw unauthenticated('The link is invalid, was used, or has expired');
    const row = await this.repository.findAny(grant.tenantId, grant.file);
    if (row === undefined) throw notFound('Export');
    if (row.state !== 'ready') throw notReady(row.state);
    return this.openRow(grant.tenantId, row);
  }

  private async openRow(tenantId: string, row: ExportRow): Promise<Download> {
    const { export_id: exportId, attempt, user_id: userId } = row;
    const handle = await this.files.open({ tenantId, exportId, attempt });
    if (handle === undefined) {
      // A directory that was emptied, or a backup that was restored: files are in none.
      await this.repository.lose(tenantId, exportId);
      throw notReady('expired');
    }
    const name = `chatapi-${userId === null ? 'tenant' : 'user'}-${encodeId('export', exportId)}.ndjson.gz`;
    const { size } = await handle.stat();
    return { body: handle.createReadStream(), name, bytes: size };
  }
}

function ofPath({ userId }: ExportPath): ExportOf {
  return { kind: userId === undefined ? 'tenant' : 'user', userId };
}

function actionOf<W extends 'file' | 'link'>(
  what: W,
  { userId }: ExportPath,
): `${'tenant' | 'user'}.export_${W}` & AuditAction {
  return `${userId === undefined ? 'tenant' : 'user'}.export_${what}` as `${'tenant' | 'user'}.export_${W}` &
    AuditAction;
}

function notReady(state: string): AppError {
  return new AppError('CONFLICT', NOT_READY[state] ?? 'The file is not there', { details: { reason: state } });
}

function exportView(row: ExportRow): ExportDto {
  return {
    export_id: encodeId('export', row.export_id),
    user_id: row.user_id,
    state: row.state,
    lines: row.line_count,
    bytes: row.bytes,
    sha256: row.sha256?.toString('hex') ?? null,
    error: row.error,
    created_at: row.created_at.toISOString(),
    ready_at: row.ready_at?.toISOString() ?? null,
    expires_at: row.ready_at === null ? null : (row.expires_at?.toISOString() ?? null),
  };
}
