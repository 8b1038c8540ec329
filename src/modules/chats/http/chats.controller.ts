import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { invalid } from '../../../common/errors';
import { pageInfo, pageRequest } from '../../../common/limits';
import { userIdFault } from '../../../common/text';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, SseAnswer, SuccessDto } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import type { Chat, Turn } from '../contract';
import { ChatsService } from '../chats/chats.service';
import { TurnsService } from '../turns/turns.service';
import { positionOf } from '../events';
import { answerOptions } from '../turns/turns.service';
import { Answers } from './answers';
import {
  ChatDto,
  ChatMessagePageDto,
  ChatPageDto,
  CreateChatDto,
  ListChatMessagesQueryDto,
  ListChatsQueryDto,
  RegenerateDto,
  ResumeQueryDto,
  SendChatMessageDto,
  StoppedDto,
  TurnDto,
  UpdateChatDto,
} from './dto/chat.dto';
import { UiMessagePageDto } from './dto/ui.dto';
import { CHAT_STREAM, LAST_EVENT_ID, NOTHING_MISSING, REJOINED_CHAT_STREAM } from './examples';
import { shownOf, uiMessage } from './ui-format';
import { chatIdOf, chatMessageView, chatView } from './views';

@ApiTags('AI chats')
@Throttle(AI_REQUESTS)
@Controller('api/v1/chats')
export class ChatsController {
  constructor(private readonly chats: ChatsService) {}

  /**
   * Create a chat between a user and the assistant of a preset.
   * @remarks
   * With an API key `user_id` says for whom, and an id that is new makes the user; a user token makes chats of its
   * own only (403). A preset that does not exist is 400.
   */
  @Post()
  @Access('tenant')
  async create(@CurrentCaller() caller: Caller, @Body() body: CreateChatDto): Promise<ChatDto> {
    const { user_id: userId, title, metadata, preset } = body;
    return chatView(await this.chats.createChat(caller, { userId, title, metadata, preset }));
  }

  /**
   * List a user's chats, by creation, the newest first.
   * @remarks
   * A user token lists its own only, else 403. A user that nobody knows has none. `order=asc` gives the oldest first.
   */
  @Get('user/:user_id')
  @ApiParam({ name: 'user_id', example: 'alice' })
  @Access('tenant')
  async list(
    @CurrentCaller() caller: Caller,
    @Param('user_id') userId: string,
    @Query() query: ListChatsQueryDto,
  ): Promise<ChatPageDto> {
    const fault = userIdFault(userId);
    if (fault !== undefined) throw invalid('user_id', `user_id ${fault}`);
    const page = pageRequest(query);
    const filter = { userId, by: 'created', order: query.order ?? 'desc' } as const;
    const { chats, total } = await this.chats.listChats(caller, filter, page);
    const gone = await this.chats.goneOf(chats);
    return { chats: chats.map((chat) => chatView(chat, gone)), ...pageInfo(page, chats.length, total) };
  }

  /**
   * Get a chat.
   * @remarks
   * An API key sees all chats of its tenant, a user token its own (403); an unknown id is 404.
   */
  @Get(':chat_id')
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async get(@CurrentCaller() caller: Caller, @Param('chat_id') chatId: string): Promise<ChatDto> {
    return this.shown(await this.chats.getChat(caller, chatIdOf(chatId)));
  }

  /**
   * Change the title or the metadata (merged).
   * @remarks
   * What is not sent stays; the metadata may have 8 KB after merging (400). Another user's chat is 403, an unknown
   * one 404.
   */
  @Patch(':chat_id')
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async update(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Body() body: UpdateChatDto,
  ): Promise<ChatDto> {
    const chat = await this.chats.getChat(caller, chatIdOf(chatId));
    return this.shown(await this.chats.updateChat(caller, chat, body));
  }

  /**
   * Delete a chat, with its messages; an answer that is being written ends.
   * @remarks
   * The same chat is a room and a conversation: it is gone there, too. Another user's chat is 403, an unknown one
   * 404.
   */
  @Delete(':chat_id')
  @HttpCode(200)
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async delete(@CurrentCaller() caller: Caller, @Param('chat_id') chatId: string): Promise<SuccessDto> {
    await this.chats.deleteChat(caller, await this.chats.getChat(caller, chatIdOf(chatId)));
    return { success: true };
  }

  /**
   * List the messages of a chat, in order of seq. An answer is listed once it has ended.
   * @remarks
   * `status` says how an answer ended; `superseded` ones are no part of the chat any more. Pages by `limit` and
   * `offset`. With `format=ui` they are messages of the Vercel AI SDK, without what it would not show. Another user's chat is
   * 403, an unknown one 404.
   */
  @Get(':chat_id/messages')
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  @ApiExtraModels(ChatMessagePageDto, UiMessagePageDto)
  @ApiOkResponse({
    schema: { anyOf: [ChatMessagePageDto, UiMessagePageDto].map(($ref) => ({ $ref: getSchemaPath($ref) })) },
  })
  async messages(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Query() query: ListChatMessagesQueryDto,
  ): Promise<ChatMessagePageDto | UiMessagePageDto> {
    const own =
      query.format === 'ui' && caller.optionalUserId !== undefined
        ? await this.chats.findOwn(caller, chatId)
        : undefined;
    const chat = own ?? (await this.chats.getChat(caller, chatIdOf(chatId)));
    const { order = 'asc' } = query;
    const page = pageRequest(query);
    const { messages, clientIds, total } = await this.chats.messages(chat, order, page);
    const info = pageInfo(page, messages.length, total);
    if (query.format !== 'ui')
      return { messages: messages.map((message) => chatMessageView(chat.chatId, message)), ...info };
    const shown = shownOf(messages, order);
    return {
      messages: shown.map((message) => uiMessage(chat, message, clientIds.get(message.messageId) ?? null)),
      ...info,
    };
  }

  private async shown(chat: Chat): Promise<ChatDto> {
    return chatView(chat, await this.chats.goneOf([chat]));
  }
}

@ApiTags('AI chats')
@Throttle(AI_REQUESTS)
@Controller('api/v1/chats/:chat_id')
export class TurnsController {
  constructor(
    private readonly chats: ChatsService,
    private readonly turns: TurnsService,
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
    const chat = await this.chats.getChat(caller, chatIdOf(chatId));
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
    const chat = await this.chats.getChat(caller, chatIdOf(chatId));
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
    const chat = await this.chats.getChat(caller, chatIdOf(chatId));
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
    const chat = await this.chats.getChat(caller, chatIdOf(chatId));
    const stream = await this.answers.rejoin({ caller, reply }, chat, position);
    if (stream === undefined) reply.status(204);
    reply.send(stream);
  }
}

/** What the body says counts before the header. */
function wantsStream({ stream }: RegenerateDto, accept: string | undefined): boolean {
  return stream ?? accept?.includes('text/event-stream') ?? false;
}
