import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../../common/pagination';
import { Access, type Caller } from '../../../platform/auth';
import { AlwaysEnveloped, ApiErrors, CurrentCaller, PageQueryDto } from '../../../platform/http';
import { CreatePresetDto, PatchPresetDto, PresetDto, PresetPageDto } from '../dto/preset.dto';
import { PresetsService } from './presets.service';

@ApiTags('Models')
@AlwaysEnveloped()
@Controller('api/presets')
export class PresetsController {
  constructor(private readonly presets: PresetsService) {}

  /** Add a preset: how an assistant is asked to behave. At most 100, beside `default`. */
  @Post()
  @Access('tenantAdmin')
  @ApiErrors('CONFLICT')
  create(@CurrentCaller() caller: Caller, @Body() body: CreatePresetDto): Promise<PresetDto> {
    return this.presets.create(caller, body);
  }

  /** List the presets, `default` first. A key of any scope may; a user token sees no system prompts. */
  @Get()
  @Access('anyScope')
  list(@CurrentCaller() caller: Caller, @Query() query: PageQueryDto): Promise<PresetPageDto> {
    return this.presets.list(caller, pageRequest(query));
  }

  /** One preset. `default` always exists. A key of any scope may; a user token sees no system prompt. */
  @Get(':preset')
  @Access('anyScope')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('preset') name: string): Promise<PresetDto> {
    return this.presets.get(caller, name);
  }

  /** Change a preset, for answers that begin from now on; what is not sent stays. */
  @Patch(':preset')
  @Access('tenantAdmin')
  @ApiErrors('NOT_FOUND')
  change(
    @CurrentCaller() caller: Caller,
    @Param('preset') name: string,
    @Body() body: PatchPresetDto,
  ): Promise<PresetDto> {
    return this.presets.change(caller, name, body);
  }

  /** Remove a preset; `default` goes back to what comes with the server. */
  @Delete(':preset')
  @HttpCode(204)
  @Access('tenantAdmin')
  @ApiErrors('NOT_FOUND')
  delete(@CurrentCaller() caller: Caller, @Param('preset') name: string): Promise<void> {
    return this.presets.delete(caller, name);
  }
}
