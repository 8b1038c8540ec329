import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../../common/pagination';
import { Access, type Caller } from '../../../platform/auth';
import { AlwaysEnveloped, ApiErrors, CurrentCaller, PageQueryDto } from '../../../platform/http';
import {
  ChannelDto,
  ChannelPageDto,
  CreateChannelDto,
  EnvironmentChannelDto,
  PatchChannelDto,
} from '../dto/channel.dto';
import { ChannelsService } from './channels.service';

@ApiTags('Models')
@AlwaysEnveloped()
@Controller('api/channels')
export class ChannelsController {
  constructor(private readonly channels: ChannelsService) {}

  /** Add a way to a model. The tenant's own are tried before the server's; at most 50. */
  @Post()
  @Access('tenantAdmin')
  @ApiErrors('CONFLICT')
  create(@CurrentCaller() caller: Caller, @Body() body: CreateChannelDto): Promise<ChannelDto> {
    return this.channels.create(caller, body);
  }

  /** List the tenant's own channels, in the order in which they are tried. */
  @Get()
  @Access('tenantAdmin')
  list(@CurrentCaller() caller: Caller, @Query() query: PageQueryDto): Promise<ChannelPageDto> {
    return this.channels.list(caller, pageRequest(query));
  }

  /** The channel of the environment, with its latest faults: what providers say of them may quote any tenant's users. */
  @Get('environment')
  @Access('master')
  @ApiErrors('NOT_FOUND')
  environment(): EnvironmentChannelDto {
    return this.channels.environment();
  }

  /** One channel with its latest faults; its key is never shown. */
  @Get(':channelId')
  @Access('tenantAdmin')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('channelId') channelId: string): Promise<ChannelDto> {
    return this.channels.get(caller, channelId);
  }

  /** Change a channel; what is not sent stays. Answers that are being written go on as they began. */
  @Patch(':channelId')
  @Access('tenantAdmin')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  change(
    @CurrentCaller() caller: Caller,
    @Param('channelId') channelId: string,
    @Body() body: PatchChannelDto,
  ): Promise<ChannelDto> {
    return this.channels.change(caller, channelId, body);
  }

  /** Remove a channel. */
  @Delete(':channelId')
  @HttpCode(204)
  @Access('tenantAdmin')
  @ApiErrors('NOT_FOUND')
  delete(@CurrentCaller() caller: Caller, @Param('channelId') channelId: string): Promise<void> {
    return this.channels.delete(caller, channelId);
  }
}
