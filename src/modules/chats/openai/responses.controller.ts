import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, LargeBody, NeverEnveloped, SseAnswer } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import { CreateResponseDto, ResponseDto, ResponseQueryDto } from './dto/response.dto';
import { RESPONSE_STREAM, RESPONSE_STREAM_IS } from './examples';
import { Responses } from './responses';
import { keepResponse } from './responses-body';

const ID = {
  name: 'response_id',
  description: '`resp_…`: the hex of the answer’s message id.',
  example: 'resp_0190c3a2f0d17a3bb2c4d5e6f7a8b9c0',
} as const;

@ApiTags('OpenAI')
@Throttle(AI_REQUESTS)
@Controller('v1/responses')
export class ResponsesController {
  constructor(private readonly responses: Responses) {}

  /**
   * Ask a model as clients of OpenAI's responses do.
   * @remarks
   * Each response is the answer of a turn of a chat: of that of `previous_response_id`, else of a new one. What was said there
   * since is seen as well: a chat has one history. It is written and stored even if you leave; with `background` you are
   * answered at once. It can be retrieved, joined after any event, and cancelled. A repeat with its `Idempotency-Key` gets the
   * same response. While an answer is written the turn waits, is CONFLICT, or interrupts it, as the tenant's `while_answering`
   * says. A model that fails is a response with the status `failed`.
   *
   * With `store: false` (API keys only, as `instructions` and parameters beyond the preset's, unless the tenant's `openai_door`
   * is `open`) nothing is stored: `input` is all that the model is told, and who leaves ends the answer.
   */
  @Post()
  @HttpCode(200)
  @NeverEnveloped()
  @LargeBody(keepResponse)
  @Access('bearer')
  @ApiErrors('NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'MODEL_ERROR', 'CHANNEL_UNAVAILABLE')
  @SseAnswer(RESPONSE_STREAM, ResponseDto, RESPONSE_STREAM_IS)
  create(
    @CurrentCaller() caller: Caller,
    @Body() body: CreateResponseDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable | ResponseDto> {
    return this.responses.create({ caller, reply }, body);
  }

  /**
   * Read a response, or join it.
   * @remarks
   * With `stream=true` its events are told, those that were and those that come; `starting_after` leaves out what you have. Of a
   * server that has died you may have more than was stored: then an `error` says so, and you begin anew. A key names the user
   * in `X-User-Id`; what another user has asked is 404.
   */
  @Get(':response_id')
  @NeverEnveloped()
  @ApiParam(ID)
  @Access('bearer')
  @ApiErrors('NOT_FOUND')
  @SseAnswer(RESPONSE_STREAM, ResponseDto, RESPONSE_STREAM_IS)
  retrieve(
    @CurrentCaller() caller: Caller,
    @Param('response_id') id: string,
    @Query() query: ResponseQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable | ResponseDto> {
    return this.responses.retrieve({ caller, reply }, id, query);
  }

  /**
   * Stop a response; its text so far is kept.
   * @remarks
   * Returns when that is stored. One that has ended already stays as it is.
   */
  @Post(':response_id/cancel')
  @HttpCode(200)
  @NeverEnveloped()
  @ApiParam(ID)
  @Access('bearer')
  @ApiErrors('NOT_FOUND')
  cancel(
    @CurrentCaller() caller: Caller,
    @Param('response_id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResponseDto> {
    return this.responses.cancel({ caller, reply }, id);
  }
}
