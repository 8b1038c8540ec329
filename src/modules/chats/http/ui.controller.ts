import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, LargeBody, SseAnswer } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import { UiChatDto, UiStoppedDto } from './dto/ui.dto';
import { NOTHING_RUNS, UI_STREAM, UI_STREAM_IS } from './examples';
import { keepLast } from './ui-body';
import { UiChats } from './ui-chats';
import { uiMessage } from './ui-format';

const CLIENTS_ID = { name: 'chat_id', description: 'What your client calls the chat, or its UUID.' } as const;

@ApiTags('UI stream')
@Throttle(AI_REQUESTS)
@Controller('api/ui/chat')
export class UiChatController {
  constructor(private readonly chats: UiChats) {}

  /**
   * Say something and get the model's answer as a UI message stream of the Vercel AI SDK (`useChat`, `DefaultChatTransport`).
   * @remarks
   * The chat is made at its first use. Of `messages` the last one counts: its id makes a repeat join the same answer. With
   * `messageId` it edits the newest question; `regenerate-message` writes the newest answer anew, and joins one that is under
   * way; anything older is CONFLICT, and so is changing what is being answered: stop it before. The answer is written and stored
   * even if you leave. A body may have 8 MB, and a tenant four such at a time (429). What is refused before the first event has
   * an HTTP status, what fails later is an `error`. While an answer is written a second message waits, is CONFLICT, or
   * interrupts it, as the tenant's `while_answering` says.
   */
  @Post()
  @HttpCode(200)
  @LargeBody(keepLast)
  @Access('user')
  @ApiErrors('NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'CHANNEL_UNAVAILABLE')
  @SseAnswer(UI_STREAM, undefined, UI_STREAM_IS)
  answer(
    @CurrentCaller() caller: Caller,
    @Body() body: UiChatDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    return this.chats.answer({ caller, reply }, body);
  }

  /**
   * Join the answer that is being written: its text so far, then what comes.
   * @remarks
   * 204 where nothing is being written, and for a chat that has not begun; what can be no chat's id is 404. What has ended is in
   * `GET /api/v1/chats/{chat_id}/messages?format=ui`.
   */
  @Get(':chat_id/stream')
  @ApiParam(CLIENTS_ID)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  @SseAnswer(UI_STREAM, undefined, UI_STREAM_IS)
  @ApiNoContentResponse(NOTHING_RUNS)
  async stream(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const stream = await this.chats.rejoin({ caller, reply }, chatId);
    if (stream === undefined) reply.status(204);
    reply.send(stream);
  }

  /**
   * Stop the answers that are being written or wait; their text so far is kept.
   * @remarks
   * `stop()` of the SDK only leaves the stream: the answer goes on until it is stopped here. Returns when they have ended.
   * Where nothing is being written the list is empty; a chat that this user does not have is 404.
   */
  @Post(':chat_id/stop')
  @HttpCode(200)
  @ApiParam(CLIENTS_ID)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  async stop(@CurrentCaller() caller: Caller, @Param('chat_id') chatId: string): Promise<UiStoppedDto> {
    const { chat, stopped } = await this.chats.stop(caller, chatId);
    return { answers: stopped.map((answer) => uiMessage(chat, answer, null)) };
  }
}
