import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { type AppError, forbidden, invalid } from '../../../common/errors';
import { encodeId } from '../../../common/ids';
import { pageRequest } from '../../../common/limits';
import { Access, type Caller } from '../../../platform/auth';
import {
  AlwaysEnveloped,
  ApiErrors,
  CurrentCaller,
  NeverEnveloped,
  PageQueryDto,
  SseAnswer,
  SuccessDto,
} from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import type { Chat, Turn } from '../contract';
import { ChatsService } from '../chats/chats.service';
import { TurnsService } from '../turns/turns.service';
import { positionOf } from '../events';
import { camelAnswerOptions } from '../turns/turns.service';
import { Answers } from './answers';
import { ResumeQueryDto } from './dto/chat.dto';
import {
  AnswerDto,
  AskDto,
  ClearedDto,
  ConversationHistoryDto,
  ConversationListDto,
  ListConversationsQueryDto,
} from './dto/conversation.dto';
import { CONVERSATION_STREAM, LAST_EVENT_ID, NOTHING_MISSING, REJOINED_CONVERSATION_STREAM } from './examples';
import { conversationIdOf, conversationMessageView, conversationView, inConversation } from './views';

@ApiTags('Conversations')
@AlwaysEnveloped()
@Throttle(AI_REQUESTS)
@Controller('api/chat')
export class ChatController {
  constructor(
    private readonly chats: ChatsService,
    private readonly turns: TurnsService,
    private readonly answers: Answers,
  ) {}

  /**
   * Say something and get the model's answer. It is written and stored even if you leave.
   * @remarks
   * Without `conversationId` the conversation of that user and group goes on, or begins. A model that fails is
   * MODEL_ERROR, none that can answer CHANNEL_UNAVAILABLE, a budget that is spent QUOTA_EXCEEDED; what you said is
   * stored all the same. What a second message does while an answer is written is a setting of the tenant
   * (`while_answering`): it may be CONFLICT.
   */
  @Post()
  @HttpCode(200)
  @Access('tenant')
  @ApiErrors('CONVERSATION_NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'MODEL_ERROR', 'CHANNEL_UNAVAILABLE')
  async ask(
    @CurrentCaller() caller: Caller,
    @Body() body: AskDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AnswerDto> {
    const { chat, turn } = await this.send(caller, body);
    return this.answers.response({ caller, reply }, chat, turn);
  }

  /**
   * Say something and get the model's answer as server-sent events.
   * @remarks
   * Events `start`, `content`, `end`, or `error` in the place of `end`; each has an id with which the stream is
   * joined again after a break. What is refused before the first event has an HTTP status, what fails later is an
   * event.
   */
  @Post('stream')
  @HttpCode(200)
  @Access('tenant')
  @ApiErrors('CONVERSATION_NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'CHANNEL_UNAVAILABLE')
  @SseAnswer(CONVERSATION_STREAM)
  askForStream(
    @CurrentCaller() caller: Caller,
    @Body() body: AskDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    return this.answers.responseStream({ caller, reply }, body.userId, () => this.send(caller, body));
  }

  private send(caller: Caller, body: AskDto): Promise<{ chat: Chat; turn: Turn }> {
    const { message: content, clientMessageId } = body;
    return inConversation(async () => {
      const options = camelAnswerOptions(caller, body);
      const chat = await this.chatOf(caller, body);
      return { chat, turn: await this.turns.send(caller, chat, { content, clientMessageId, options }) };
    });
  }

  private async chatOf(caller: Caller, body: AskDto): Promise<Chat> {
    const { conversationId, userId, groupId, preset } = body;
    if (conversationId !== undefined) return this.named(caller, conversationId, body);
    const input = { userId, groupId, preset };
    const current = await this.chats.current(caller, input);
    if (current !== undefined) return current;
    await this.turns.admit(caller, userId);
    return this.chats.active(caller, input);
  }

  /** What is sent beside the id of a conversation must be its own: it decides nothing, and must not seem to. */
  private async named(caller: Caller, conversationId: string, { userId, groupId, preset }: AskDto): Promise<Chat> {
    const chat = await this.chats.getChat(caller, conversationIdOf(conversationId));
    if (chat.userId !== userId) throw forbidden('This conversation belongs to another user');
    if (preset !== undefined && preset !== chat.preset) throw ofAnother('preset');
    if (groupId !== undefined && groupId !== chat.groupId) throw ofAnother('groupId');
    return chat;
  }
}

function ofAnother(field: string): AppError {
  return invalid(field, `The conversation has another ${field}; leave it out`);
}

@ApiTags('Conversations')
@AlwaysEnveloped()
@Throttle(AI_REQUESTS)
@Controller('api/conversations')
export class ConversationsController {
  constructor(
    private readonly chats: ChatsService,
    private readonly answers: Answers,
  ) {}

  /**
   * List conversations, newest activity first.
   * @remarks
   * Of all users, or of one with `userId`, or one with `groupId`; a user token sees its own. The answer is in an
   * envelope, as on all of this API.
   */
  @Get()
  @Access('tenant')
  async list(
    @CurrentCaller() caller: Caller,
    @Query() { userId, groupId, ...query }: ListConversationsQueryDto,
  ): Promise<ConversationListDto> {
    const filter = { userId, groupId, by: 'active', order: 'desc' } as const;
    const { chats, total } = await this.chats.listChats(caller, filter, pageRequest(query));
    const [last, silent] = await Promise.all([this.chats.lastMessages(chats), this.chats.silent(chats)]);
    const views = chats.map((chat) => conversationView(chat, last.get(chat.chatId), silent.get(chat.chatId)));
    return { conversations: views, total };
  }

  /**
   * Get a conversation with its newest messages, in order of time.
   * @remarks
   * An unknown one is CONVERSATION_NOT_FOUND, another user's 403. `offset` counts from the newest.
   */
  @Get(':conversation_id')
  @Access('tenant')
  @ApiErrors('CONVERSATION_NOT_FOUND')
  get(
    @CurrentCaller() caller: Caller,
    @Param('conversation_id') conversationId: string,
    @Query() query: PageQueryDto,
  ): Promise<ConversationHistoryDto> {
    return inConversation(async () => {
      const chat = await this.chats.getChat(caller, conversationIdOf(conversationId));
      const { messages, total } = await this.chats.turns(chat, pageRequest(query));
      return {
        id: encodeId('conversation', chat.chatId),
        messages: messages.map(conversationMessageView).reverse(),
        total,
      };
    });
  }

  /**
   * Delete a conversation, with its messages; an answer that is being written ends.
   * @remarks
   * It is gone as a chat and as a room, too. An unknown one is CONVERSATION_NOT_FOUND, another user's 403.
   */
  @Delete(':conversation_id')
  @HttpCode(200)
  @NeverEnveloped()
  @Access('tenant')
  @ApiErrors('CONVERSATION_NOT_FOUND')
  delete(@CurrentCaller() caller: Caller, @Param('conversation_id') conversationId: string): Promise<SuccessDto> {
    return inConversation(async () => {
      await this.chats.deleteChat(caller, await this.chats.getChat(caller, conversationIdOf(conversationId)));
      return { success: true };
    });
  }

  /**
   * Make the model forget what was said so far; the history stays readable.
   * @remarks
   * What comes next is answered without what was said before. An unknown one is CONVERSATION_NOT_FOUND.
   */
  @Post(':conversation_id/clear')
  @HttpCode(200)
  @NeverEnveloped()
  @Access('tenant')
  @ApiErrors('CONVERSATION_NOT_FOUND')
  clear(@CurrentCaller() caller: Caller, @Param('conversation_id') conversationId: string): Promise<ClearedDto> {
    return inConversation(async () => {
      await this.chats.clearChat(caller, await this.chats.getChat(caller, conversationIdOf(conversationId)));
      return { success: true, message: 'Context cleared' };
    });
  }

  /**
   * Join an answer again: what follows `Last-Event-ID`, else the one that is being written from its beginning, as
   * server-sent events.
   * @remarks
   * 204 where nothing is being written and nothing is missing. An answer's tokens are kept for an hour after its end;
   * later the stream begins anew. An unknown conversation is CONVERSATION_NOT_FOUND.
   */
  @Get(':conversation_id/stream')
  @ApiHeader(LAST_EVENT_ID)
  @Access('tenant')
  @ApiErrors('CONVERSATION_NOT_FOUND')
  @SseAnswer(REJOINED_CONVERSATION_STREAM)
  @ApiNoContentResponse(NOTHING_MISSING)
  stream(
    @CurrentCaller() caller: Caller,
    @Param('conversation_id') conversationId: string,
    @Query() query: ResumeQueryDto,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return inConversation(async () => {
      const position = positionOf(lastEventId, query.last_event_id);
      const chat = await this.chats.getChat(caller, conversationIdOf(conversationId));
      const stream = await this.answers.rejoinResponse({ caller, reply }, chat, position);
      if (stream === undefined) reply.status(204);
      reply.send(stream);
    });
  }
}
