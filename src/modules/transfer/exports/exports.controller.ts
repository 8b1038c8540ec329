import { applyDecorators, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, CursorQueryDto, NeverEnveloped } from '../../../platform/http';
import { ExportDto, ExportPageDto, FileTicketDto, FileTicketQueryDto } from '../dto/export.dto';
import { type Download, ExportDownloads, ExportsService } from './exports.service';

const TYPE = 'application/gzip';

/** An answer that is a file. */
function FileAnswer(): MethodDecorator {
  return applyDecorators(
    NeverEnveloped(),
    ApiProduces(TYPE),
    ApiOkResponse({
      description: 'The file: gzip over NDJSON.',
      content: { [TYPE]: { schema: { type: 'string', format: 'binary' } } },
    }),
  );
}

function sent(reply: FastifyReply, { body, name, bytes }: Download): Readable {
  reply.headers({
    'Content-Type': TYPE,
    'Content-Length': bytes,
    'Content-Disposition': `attachment; filename="${name}"`,
    'Cache-Control': 'no-store',
  });
  return body;
}

@ApiTags('Admin')
@Controller('admin/tenants/:tenant_id/exports')
export class TenantExportsController {
  constructor(
    private readonly exports: ExportsService,
    private readonly downloads: ExportDownloads,
  ) {}

  /**
   * Export a tenant: a file with all that it has, but for secrets, as it is at one moment.
   * @remarks
   * It is written in the background, while the tenant goes on; `GET` says when it is `ready`. Its `room` lines carry the
   * `last_rev` up to which each room is in it. One at a time of a tenant, and at most ten files: 409 beyond. Files are kept
   * for EXPORT_HOURS, a day by default.
   */
  @Post()
  @HttpCode(202)
  @Access('admin')
  @Audited('tenant.export')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  create(@CurrentCaller() caller: Caller, @Param('tenant_id') tenantId: string): Promise<ExportDto> {
    return this.exports.ask(caller, { tenantId });
  }

  /**
   * List a tenant's exports, newest first; those of its users' data are not among them.
   * @remarks
   * It is told for thirty days that there was one.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  list(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Query() query: CursorQueryDto,
  ): Promise<ExportPageDto> {
    return this.exports.list(caller, tenantId, query);
  }

  /**
   * Get an export: how far it is.
   * @remarks
   * `queued`, `running`, then `ready` with its size and until when the file is there; or `failed` with why; at last `expired`.
   */
  @Get(':export_id')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  show(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('export_id') exportId: string,
  ): Promise<ExportDto> {
    return this.exports.show(caller, { tenantId }, exportId);
  }

  /**
   * Download the file of an export.
   * @remarks
   * For scripts, which send a key; a browser follows a link. 409 where there is no file: not yet, or no more
   * (`details.reason` is the export's state).
   */
  @Get(':export_id/file')
  @Access('admin')
  @Audited('tenant.export_file')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  @FileAnswer()
  async file(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('export_id') exportId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    return sent(reply, await this.downloads.open(caller, { tenantId }, exportId));
  }

  /**
   * Make a link to the file of an export, good for one download within 60 seconds.
   * @remarks
   * For browsers: whoever has it needs no key. 409 where there is no file.
   */
  @Post(':export_id/link')
  @HttpCode(200)
  @Access('admin', { secretAnswer: true })
  @Audited('tenant.export_link')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  link(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('export_id') exportId: string,
  ): Promise<FileTicketDto> {
    return this.downloads.link(caller, { tenantId }, exportId);
  }
}

@ApiTags('Admin')
@Controller('admin/tenants/:tenant_id/users/:user_id/export')
export class UserExportsController {
  constructor(
    private readonly exports: ExportsService,
    private readonly downloads: ExportDownloads,
  ) {}

  /**
   * Export what a tenant has of one user: a file for that person.
   * @remarks
   * Profile, memberships, own messages with what is kept of earlier versions, cursors, notifications, subscriptions, chats with their answers, usage; nothing that
   * others have written to them. Written in the background; one at a time of a user: 409 beyond.
   */
  @Post()
  @HttpCode(202)
  @Access('admin')
  @Audited('user.export')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  create(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('user_id') userId: string,
  ): Promise<ExportDto> {
    return this.exports.ask(caller, { tenantId, userId });
  }

  /**
   * Get an export of a user's data: how far it is.
   * @remarks
   * Its states are those of a tenant's export.
   */
  @Get(':user_export_id')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  show(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('user_id') userId: string,
    @Param('user_export_id') exportId: string,
  ): Promise<ExportDto> {
    return this.exports.show(caller, { tenantId, userId }, exportId);
  }

  /**
   * Download the file of an export of a user's data.
   * @remarks
   * For scripts, which send a key; a browser follows a link. 409 where there is no file: not yet, or no more
   * (`details.reason` is the export's state).
   */
  @Get(':user_export_id/file')
  @Access('admin')
  @Audited('user.export_file')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  @FileAnswer()
  async file(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('user_id') userId: string,
    @Param('user_export_id') exportId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    return sent(reply, await this.downloads.open(caller, { tenantId, userId }, exportId));
  }

  /**
   * Make a link to the file of an export of a user's data, good for one download within 60 seconds.
   * @remarks
   * For browsers: whoever has it needs no key. 409 where there is no file.
   */
  @Post(':user_export_id/link')
  @HttpCode(200)
  @Access('admin', { secretAnswer: true })
  @Audited('user.export_link')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  link(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('user_id') userId: string,
    @Param('user_export_id') exportId: string,
  ): Promise<FileTicketDto> {
    return this.downloads.link(caller, { tenantId, userId }, exportId);
  }
}

@ApiTags('Admin')
@Controller('exports')
export class ExportFileController {
  constructor(private readonly downloads: ExportDownloads) {}

  /**
   * Download the file that a link leads to. The ticket is the credential: it is good once, and for 60 seconds.
   * @remarks
   * A ticket that is used up, has expired or is none of ours is 401.
   */
  @Get('file')
  @Access('public')
  @ApiErrors('VALIDATION_ERROR', 'AUTHENTICATION_ERROR', 'NOT_FOUND', 'CONFLICT')
  @FileAnswer()
  async file(
    @Query() { ticket }: FileTicketQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    return sent(reply, await this.downloads.openTicket(ticket));
  }
}
