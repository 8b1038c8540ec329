import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import { pageRequest } from '../../../common/limits';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { AlwaysEnveloped, ApiErrors, CurrentCaller, PageQueryDto } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import { CreatePresetDto, PatchPresetDto, PresetDto, PresetPageDto } from '../dto/preset.dto';
import { PresetsService } from './presets.service';

@ApiTags('Models')
@AlwaysEnveloped()
@Throttle(AI_REQUESTS)
@Controller('api/presets')
export class PresetsController {
  constructor(private readonly presets: PresetsService) {}

  /**
   * Add a preset: how an assistant is asked to behave. At most 100, beside `default`.
   * @remarks
   * Chats and calls name it. A name that is taken, or a 101st, is CONFLICT.
   */
  @Post()
  @Access('tenantAdmin')
  @Audited('preset.create')
  @ApiErrors('CONFLICT')
  create(@CurrentCaller() caller: Caller, @Body() body: CreatePresetDto): Promise<PresetDto> {
    return this.presets.create(caller, body);
  }

  /**
   * List the presets, `default` first. A key of any scope may; a user token sees no system prompts.
   * @remarks
   * Pages by `limit` and `offset`.
   */
  @Get()
  @Access('anyScope')
  list(@CurrentCaller() caller: Caller, @Query() query: PageQueryDto): Promise<PresetPageDto> {
    return this.presets.list(caller, pageRequest(query));
  }

  /**
   * One preset. `default` always exists. A key of any scope may; a user token sees no system prompt.
   * @remarks
   * An unknown name is 404.
   */
  @Get(':preset')
  @Access('anyScope')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('preset') name: string): Promise<PresetDto> {
    return this.presets.get(caller, name);
  }

  /**
   * Change a preset, for answers that begin from now on; what is not sent stays.
   * @remarks
   * null takes a value away, so that the channel's or the provider's own counts. An unknown name is 404; `default`
   * can be changed though nobody made it.
   */
  @Patch(':preset')
  @Access('tenantAdmin')
  @Audited('preset.update')
  @ApiErrors('NOT_FOUND')
  change(
    @CurrentCaller() caller: Caller,
    @Param('preset') name: string,
    @Body() body: PatchPresetDto,
  ): Promise<PresetDto> {
    return this.presets.change(caller, name, body);
  }

  /**
   * Remove a preset; `default` goes back to what comes with the server.
   * @remarks
   * Chats that name it are answered by `default` from then on. An unknown name is 404.
   */
  @Delete(':preset')
  @HttpCode(204)
  @Access('tenantAdmin')
  @Audited('preset.delete')
  @ApiErrors('NOT_FOUND')
  delete(@CurrentCaller() caller: Caller, @Param('preset') name: string): Promise<void> {
    return this.presets.delete(caller, name);
  }
}
