import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, LargeBody, NeverEnveloped, SseAnswer } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import { Completions } from './completions';
import { keepCompletion } from './completions-body';
import { ChatCompletionDto, CompletionDto, ModelDto, ModelListDto } from './dto/completion.dto';
import { COMPLETION_STREAM, COMPLETION_STREAM_IS } from './examples';
import { PresetModels } from './models';

@ApiTags('OpenAI')
@Throttle(AI_REQUESTS)
@Controller('v1')
export class OpenAiController {
  constructor(
    private readonly models: PresetModels,
    private readonly completions: Completions,
  ) {}

  /**
   * The models that can be asked: the tenant's presets.
   * @remarks
   * Errors of all routes under `/v1` have OpenAI's shape, `{"error": {"message", "type", "param", "code"}}`, with the codes of
   * this server.
   */
  @Get('models')
  @NeverEnveloped()
  @Access('bearer')
  list(@CurrentCaller() caller: Caller): Promise<ModelListDto> {
    return this.models.list(caller);
  }

  /**
   * One of the models.
   * @remarks
   * A preset is there for every user of the tenant; one that there is not is 404.
   */
  @Get('models/:preset')
  @ApiParam({ name: 'preset', description: 'Name of the preset.', example: 'default' })
  @NeverEnveloped()
  @Access('bearer')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('preset') name: string): Promise<ModelDto> {
    return this.models.get(caller, name);
  }

  /**
   * Ask a model as clients of OpenAI's chat completions do.
   * @remarks
   * Without `X-Chat-Id` nothing is stored: `messages` is all that the model is told, behind the preset's system prompt, as far as
   * it fits; who leaves ends the answer, and what it has used is charged. An `Idempotency-Key` has nothing to be bound to then.
   * With `X-Chat-Id` the last message is the next turn of that chat, which goes on being answered and is stored even if you
   * leave; a repeat with its `Idempotency-Key` gets the same answer. While an answer is written it waits, is CONFLICT, or
   * interrupts it, as the tenant's `while_answering` says.
   *
   * User tokens may only ask in a chat of their own, for what its preset gives, unless the tenant's `openai_door` is `open`.
   * Parameters that would change the answer and are not supported (`n`, `logprobs`, `tools`, …) are refused by name, others are
   * ignored. A body may have 8 MB, and a tenant four such at a time (429). What is refused before the first chunk has an HTTP
   * status, what fails later is a chunk with an `error`.
   */
  @Post('chat/completions')
  @HttpCode(200)
  @NeverEnveloped()
  @LargeBody(keepCompletion)
  @ApiHeader({
    name: 'X-Chat-Id',
    required: false,
    description:
      'A chat of the user, by its UUID or its client’s own id, whose next turn this is; its preset is the model.',
  })
  @Access('bearer')
  @ApiErrors('NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'MODEL_ERROR', 'CHANNEL_UNAVAILABLE')
  @SseAnswer(COMPLETION_STREAM, CompletionDto, COMPLETION_STREAM_IS)
  complete(
    @CurrentCaller() caller: Caller,
    @Body() body: ChatCompletionDto,
    @Headers('x-chat-id') chatId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable | CompletionDto> {
    return this.completions.answer({ caller, reply }, body, chatId);
  }
}
