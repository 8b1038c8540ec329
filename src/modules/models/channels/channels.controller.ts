import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import { pageRequest } from '../../../common/limits';
import { Audited, NotAudited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { AlwaysEnveloped, ApiErrors, CurrentCaller, PageQueryDto } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import {
  ChannelDto,
  ChannelPageDto,
  ChannelTestDto,
  CreateChannelDto,
  EnvironmentChannelDto,
  PatchChannelDto,
} from '../dto/channel.dto';
import { ChannelsService } from './channels.service';

@ApiTags('Models')
@AlwaysEnveloped()
@Throttle(AI_REQUESTS)
@Controller('api/channels')
export class ChannelsController {
  constructor(private readonly channels: ChannelsService) {}

  /**
   * Add a way to a model. The tenant's own are tried before the server's; at most 50.
   * @remarks
   * For OpenAI, Anthropic or Google send `provider` openai-compatible, anthropic or google and `apiKey`; for Ollama, vLLM,
   * Groq and their like openai-compatible and `baseUrl`, which must lead to a public address unless the operator allows
   * private ones (400). The key is encrypted at rest and never
   * shown again. From now on the channel is asked, and the echo is not: a tenant whose channels are all disabled gets
   * CHANNEL_UNAVAILABLE. A name that is taken, or a 51st channel, is CONFLICT.
   */
  @Post()
  @Access('tenantAdmin')
  @Audited('channel.create')
  @ApiErrors('CONFLICT')
  create(@CurrentCaller() caller: Caller, @Body() body: CreateChannelDto): Promise<ChannelDto> {
    return this.channels.create(caller, body);
  }

  /**
   * List the tenant's own channels, in the order in which they are tried.
   * @remarks
   * What the server's environment offers serves every tenant after these and is not listed.
   */
  @Get()
  @Access('tenantAdmin')
  list(@CurrentCaller() caller: Caller, @Query() query: PageQueryDto): Promise<ChannelPageDto> {
    return this.channels.list(caller, pageRequest(query));
  }

  /**
   * The channel of the environment, with its latest faults: what providers say of them may quote any tenant's users.
   * @remarks
   * Every tenant has it after its own channels. Without one in the environment 404.
   */
  @Get('environment')
  @Access('master')
  @ApiErrors('NOT_FOUND')
  environment(): EnvironmentChannelDto {
    return this.channels.environment();
  }

  /**
   * One channel with its latest faults; its key is never shown.
   * @remarks
   * `hasApiKey` says whether there is one. An unknown id is 404.
   */
  @Get(':channelId')
  @Access('tenantAdmin')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('channelId') channelId: string): Promise<ChannelDto> {
    return this.channels.get(caller, channelId);
  }

  /**
   * Ask a channel for one token, and tell what came.
   * @remarks
   * A channel that is not enabled can be tested too. What fails is told in `error`, with 200: its `reason`, the provider's
   * status and, cleaned of keys and addresses, its words; it is one of `lastFaults` then. It waits as long as the channel
   * does, and a minute at most. The provider charges the token, and so do the budgets of the tenant: one that is spent is
   * QUOTA_EXCEEDED. No breaker moves: whether the channel is tried for answers is decided by answers. An unknown id is 404.
   */
  @Post(':channelId/test')
  @HttpCode(200)
  @Access('tenantAdmin')
  @NotAudited('it changes nothing')
  @ApiErrors('NOT_FOUND', 'QUOTA_EXCEEDED')
  test(@CurrentCaller() caller: Caller, @Param('channelId') channelId: string): Promise<ChannelTestDto> {
    return this.channels.test(caller, channelId);
  }

  /**
   * Change a channel; what is not sent stays. Answers that are being written go on as they began.
   * @remarks
   * null for `apiKey`, `maxTokens` or `temperature` takes it away. Another `provider` keeps the base URL; what of `params`
   * has no place in its protocol has to be taken back with it (400). A name that
   * is taken is CONFLICT.
   */
  @Patch(':channelId')
  @Access('tenantAdmin')
  @Audited('channel.update')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  change(
    @CurrentCaller() caller: Caller,
    @Param('channelId') channelId: string,
    @Body() body: PatchChannelDto,
  ): Promise<ChannelDto> {
    return this.channels.change(caller, channelId, body);
  }

  /**
   * Remove a channel.
   * @remarks
   * The next answers are asked of the channels that are left. An unknown id is 404.
   */
  @Delete(':channelId')
  @HttpCode(204)
  @Access('tenantAdmin')
  @Audited('channel.delete')
  @ApiErrors('NOT_FOUND')
  delete(@CurrentCaller() caller: Caller, @Param('channelId') channelId: string): Promise<void> {
    return this.channels.delete(caller, channelId);
  }
}
