import { Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
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
import { Answers } from './answers';
import { Chats } from '../contract';
import { inConversation } from './doors';
import {
  ClearedDto,
  ConversationHistoryDto,
  ConversationListDto,
  ListConversationsQueryDto,
} from './dto/conversation.dto';
import { ResumeQueryDto } from './dto/resume-query.dto';
import { LAST_EVENT_ID, NOTHING_MISSING, REJOINED_CONVERSATION_STREAM } from './examples';
import { conversationIdOf } from './ids';
import { positionOf } from '../event-id';
import { conversationMessageView, conversationView } from './views';

@ApiTags('Conversations')
@AlwaysEnveloped()
@Throttle(AI_REQUESTS)
@Controller('api/conversations')
export class ConversationsController {
  constructor(
    private readonly chats: Chats,
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
    const { chats, total } = await this.chats.list(caller, filter, pageRequest(query));
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
      const chat = await this.chats.get(caller, conversationIdOf(conversationId));
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
      await this.chats.delete(caller, await this.chats.get(caller, conversationIdOf(conversationId)));
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
      await this.chats.clear(caller, await this.chats.get(caller, conversationIdOf(conversationId)));
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
      const chat = await this.chats.get(caller, conversationIdOf(conversationId));
      const stream = await this.answers.rejoinResponse({ caller, reply }, chat, position);
      if (stream === undefined) reply.status(204);
      reply.send(stream);
    });
  }
}
