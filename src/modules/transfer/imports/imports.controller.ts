import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, BodyStream, CurrentCaller, CursorQueryDto, StreamedBody } from '../../../platform/http';
import { CreateImportDto, ImportDto, ImportPartDto, ImportPartQueryDto, ImportsDto } from './dto/import.dto';
import { ImportsService } from './imports.service';

@ApiTags('Admin')
@Controller('admin/tenants/:tenant_id/imports')
export class ImportsController {
  constructor(private readonly imports: ImportsService) {}

  /**
   * Begin an import: then send the file in parts, have it validated, and start it.
   * @remarks
   * Into a tenant without a room what is imported keeps its ids; else it gets new ones, made of the old, so that the same file
   * again changes nothing. Authors, times and order are kept; nobody is told, and all members have read everything. What is
   * there already is never changed.
   */
  @Post()
  @Access('master')
  @Audited('import.create')
  @ApiErrors('NOT_FOUND')
  create(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Body() body: CreateImportDto,
  ): Promise<ImportDto> {
    return this.imports.create(caller, tenantId, body);
  }

  /**
   * List the imports of a tenant, newest first.
   * @remarks
   * Those that are over stay in the list; a file goes when its import is done, and after a week where nobody goes on with it.
   */
  @Get()
  @Access('master')
  @ApiErrors('NOT_FOUND')
  list(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Query() query: CursorQueryDto,
  ): Promise<ImportsDto> {
    return this.imports.list(caller, tenantId, query);
  }

  /**
   * Get one import: how far it is, what is wrong with the file, what it has made.
   * @remarks
   * `counts` grow while it runs, and are exact: what was there before is not in them. `failed` says why in `error`.
   */
  @Get(':import_id')
  @Access('master')
  @ApiErrors('NOT_FOUND')
  get(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('import_id') importId: string,
  ): Promise<ImportDto> {
    return this.imports.get(caller, tenantId, importId);
  }

  /**
   * Send a part of the file, at most 64 MB; the same number again replaces it.
   * @remarks
   * Parts may come in any order, and at the same time. What was validated is to be validated anew. 409 from the start on, and
   * while the file is validated.
   */
  @Put(':import_id/file')
  @Access('master')
  @Audited('import.upload')
  @StreamedBody()
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  upload(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('import_id') importId: string,
    @Query() query: ImportPartQueryDto,
    @BodyStream() body: AsyncIterable<Buffer>,
  ): Promise<ImportPartDto> {
    return this.imports.upload(caller, tenantId, importId, query.part, body);
  }

  /**
   * Look at the whole file, in the background: nothing is written but the faults, the first 1,000 of them.
   * @remarks
   * The state is `validating`, then `valid` or `invalid`. 409 where a part is missing, and from the start on.
   */
  @Post(':import_id/validate')
  @HttpCode(202)
  @Access('master')
  @Audited('import.validate')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  validate(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('import_id') importId: string,
  ): Promise<ImportDto> {
    return this.imports.validate(caller, tenantId, importId);
  }

  /**
   * Take in what was validated, in the background, room by room; a room is seen when it is whole.
   * @remarks
   * 409 for a file that was not found valid. One that has failed goes on where it was; one that is done stays as it is. A file
   * that is not the validated one any more makes it fail, with nothing changed.
   */
  @Post(':import_id/start')
  @HttpCode(202)
  @Access('master')
  @Audited('import.start')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  start(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('import_id') importId: string,
  ): Promise<ImportDto> {
    return this.imports.start(caller, tenantId, importId);
  }
}
