import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { type AppError, forbidden, invalid } from '../../../common/errors';
import { Access, type Caller } from '../../../platform/auth';
import { AlwaysEnveloped, ApiErrors, CurrentCaller, SseAnswer } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import { Answers } from './answers';
import { camelAnswerOptions } from '../turns/answer-options';
import { type Chat, Chats, type Turn, Turns } from '../contract';
import { inConversation } from './doors';
import { AnswerDto, AskDto } from './dto/conversation.dto';
import { CONVERSATION_STREAM } from './examples';
import { conversationIdOf } from './ids';

@ApiTags('Conversations')
@AlwaysEnveloped()
@Throttle(AI_REQUESTS)
@Controller('api/chat')
export class ChatController {
  constructor(
    private readonly chats: Chats,
    private readonly turns: Turns,
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
    const chat = await this.chats.get(caller, conversationIdOf(conversationId));
    if (chat.userId !== userId) throw forbidden('This conversation belongs to another user');
    if (preset !== undefined && preset !== chat.preset) throw ofAnother('preset');
    if (groupId !== undefined && groupId !== chat.groupId) throw ofAnother('groupId');
    return chat;
  }
}

function ofAnother(field: string): AppError {
  return invalid(field, `The conversation has another ${field}; leave it out`);
}
