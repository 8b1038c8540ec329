import type { Readable } from 'node:stream';
import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, SseAnswer } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import { Answers } from './answers';
import { answerOptions } from '../turns/answer-options';
import { Chats, type Turn, Turns } from '../contract';
import { ResumeQueryDto } from './dto/resume-query.dto';
import { RegenerateDto, SendChatMessageDto, StoppedDto, TurnDto } from './dto/turn.dto';
import { CHAT_STREAM, LAST_EVENT_ID, NOTHING_MISSING, REJOINED_CHAT_STREAM } from './examples';
import { chatIdOf } from './ids';
import { positionOf } from '../event-id';
import { chatMessageView } from './views';

@ApiTags('AI chats')
@Throttle(AI_REQUESTS)
@Controller('api/v1/chats/:chat_id')
export class TurnsController {
  constructor(
    private readonly chats: Chats,
    private readonly turns: Turns,
    private readonly answers: Answers,
  ) {}

  /**
   * Say something and get the model's answer: when it has ended, or as server-sent events with `stream` or `Accept:
   * text/event-stream`. The answer is written and stored even if you leave.
   * @remarks
   * A retry with the same `client_message_id` or Idempotency-Key stores nothing again and gets the same answer. A
   * model that fails is MODEL_ERROR, none that can answer CHANNEL_UNAVAILABLE, a budget that is spent QUOTA_EXCEEDED;
   * the message is stored all the same. While an answer is written a second message waits, is CONFLICT, or interrupts
   * it, as the tenant's `while_answering` says.
   */
  @Post('messages')
  @HttpCode(200)
  @Access('tenant')
  @ApiErrors('NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'MODEL_ERROR', 'CHANNEL_UNAVAILABLE')
  @SseAnswer(CHAT_STREAM, TurnDto)
  async send(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Body() body: SendChatMessageDto,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TurnDto | Readable> {
    const chat = await this.chats.get(caller, chatIdOf(chatId));
    const { content, metadata, client_message_id: clientMessageId } = body;
    const options = answerOptions(caller, body);
    const call = { caller, reply };
    const say = (): Promise<Turn> => this.turns.send(caller, chat, { content, metadata, clientMessageId, options });
    return wantsStream(body, accept)
      ? this.answers.turnStream(call, chat, say, clientMessageId)
      : this.answers.turn(call, chat, await say());
  }

  /**
   * Write the last answer anew; the old one becomes `superseded`. Answered like a message.
   * @remarks
   * Only the last answer, and only where there is one (CONFLICT). The errors of the model are those of sending:
   * MODEL_ERROR, CHANNEL_UNAVAILABLE, QUOTA_EXCEEDED. Another user's chat is 403, an unknown one 404.
   */
  @Post('regenerate')
  @HttpCode(200)
  @ApiBody({ type: RegenerateDto, required: false })
  @Access('tenant')
  @ApiErrors('NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'MODEL_ERROR', 'CHANNEL_UNAVAILABLE')
  @SseAnswer(CHAT_STREAM, TurnDto)
  async regenerate(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Body() body: RegenerateDto,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TurnDto | Readable> {
    const chat = await this.chats.get(caller, chatIdOf(chatId));
    const call = { caller, reply };
    const again = (): Promise<Turn> => this.turns.regenerate(caller, chat);
    return wantsStream(body, accept)
      ? this.answers.turnStream(call, chat, again, undefined)
      : this.answers.turn(call, chat, await again());
  }

  /**
   * Stop the answers that are being written or wait; their text so far is kept, as `cancelled`.
   * @remarks
   * Returns when they have ended. Where nothing is being written the list is empty: no error. Another user's chat is
   * 403, an unknown one 404.
   */
  @Post('stop')
  @HttpCode(200)
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async stop(@CurrentCaller() caller: Caller, @Param('chat_id') chatId: string): Promise<StoppedDto> {
    const chat = await this.chats.get(caller, chatIdOf(chatId));
    const stopped = await this.turns.stop(caller, chat);
    return { answers: stopped.map((message) => chatMessageView(chat.chatId, message)) };
  }

  /**
   * Join an answer again: what follows `Last-Event-ID`, else the one that is being written from its beginning, as
   * server-sent events.
   * @remarks
   * 204 where nothing is being written and nothing is missing. An answer's tokens are kept for an hour after its end;
   * later the stream begins anew. `Last-Event-ID` of another form is 400.
   */
  @Get('stream')
  @ApiHeader(LAST_EVENT_ID)
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  @SseAnswer(REJOINED_CHAT_STREAM)
  @ApiNoContentResponse(NOTHING_MISSING)
  async stream(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Query() query: ResumeQueryDto,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const position = positionOf(lastEventId, query.last_event_id);
    const chat = await this.chats.get(caller, chatIdOf(chatId));
    const stream = await this.answers.rejoin({ caller, reply }, chat, position);
    if (stream === undefined) reply.status(204);
    reply.send(stream);
  }
}

/** What the body says counts before the header. */
function wantsStream({ stream }: RegenerateDto, accept: string | undefined): boolean {
  return stream ?? accept?.includes('text/event-stream') ?? false;
}
