import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AnswerStreams, type StreamCall } from './answer-streams';
import { AnswerWaits } from './answer-waits';
import { type Chat, type ChatMessage, type Turn } from '../contract';
import { Models } from '../../models';
import { chatEvent, providerText } from '../events';
import { chatDoor, conversationDoor, type AnswerFormat, type EndedRun, startEvent } from './doors';
import type { AnswerDto } from './dto/conversation.dto';
import type { TurnDto } from './dto/turn.dto';
import type { TokenPosition } from '../event-id';
import { chatMessageView, tokenUsageView } from './views';
import { encodeId } from '../../../common/ids';

/** How the two HTTP doors answer a turn: as a stream, or when it has ended. */
@Injectable()
export class Answers {
  constructor(
    private readonly streams: AnswerStreams,
    private readonly waits: AnswerWaits,
    private readonly models: Models,
  ) {}

  /** The AI chats API: `{message, answer}`. @throws 502 or 503 where the run failed */
  async turn(call: StreamCall, chat: Chat, turn: Turn): Promise<TurnDto> {
    const answer = await this.answerOf(call, chat, turn, this.chatDoor(call, chat));
    return { message: chatMessageView(chat.chatId, turn.message), answer: chatMessageView(chat.chatId, answer) };
  }

  /** The AI chats API: the socket's events, the message first. @throws 429 before anything is said */
  turnStream(
    call: StreamCall,
    chat: Chat,
    say: () => Promise<Turn>,
    clientMessageId: string | undefined,
  ): Promise<Readable> {
    return this.streams.seated(call, chat.userId, async () => {
      const turn = await say();
      const received = chatEvent(
        { type: 'message', message: turn.message, clientMessageId: clientMessageId ?? null },
        chat.chatId,
      );
      return this.streams.open(call, chat, beginningOf(turn), this.chatDoor(call, chat), [received]);
    });
  }

  /** The AI chats API: what is missing after `position`; undefined: nothing. @throws 429 */
  rejoin(call: StreamCall, chat: Chat, position: TokenPosition | undefined): Promise<Readable | undefined> {
    return this.streams.seated(call, chat.userId, async () => {
      const missing = await this.streams.missing(chat, position);
      return missing && this.streams.open(call, chat, missing, this.chatDoor(call, chat), []);
    });
  }

  /** The Conversations API. @throws 502 or 503 where the run ended badly, with its first tokens written or not */
  async response(call: StreamCall, chat: Chat, turn: Turn): Promise<AnswerDto> {
    const { content, usage, finishReason } = await this.answerOf(
      call,
      chat,
      turn,
      this.conversationDoor(call, chat, false),
    );
    return {
      response: content,
      conversationId: encodeId('conversation', chat.chatId),
      usage: usage === null ? null : tokenUsageView(usage),
      finishReason,
    };
  }

  /**
   * The Conversations API: `start` at once, though the run may have to wait for its turn. @throws 429 before anything is
   * said
   */
  responseStream(
    call: StreamCall,
    userId: string,
    say: () => Promise<{ readonly chat: Chat; readonly turn: Turn }>,
  ): Promise<Readable> {
    return this.streams.seated(call, userId, async () => {
      const { chat, turn } = await say();
      return this.streams.open(call, chat, beginningOf(turn), this.conversationDoor(call, chat, true), [
        startEvent(chat.chatId),
      ]);
    });
  }

  /** The Conversations API: what is missing after `position`; undefined: nothing. @throws 429 */
  rejoinResponse(call: StreamCall, chat: Chat, position: TokenPosition | undefined): Promise<Readable | undefined> {
    return this.streams.seated(call, chat.userId, async () => {
      const missing = await this.streams.missing(chat, position);
      if (missing === undefined) return undefined;
      // In the middle the run says where it goes on: that may be at its beginning.
      const isStarted = missing.afterIndex < 0;
      const opening = isStarted ? [startEvent(chat.chatId)] : [];
      return this.streams.open(call, chat, missing, this.conversationDoor(call, chat, isStarted), opening);
    });
  }

  private chatDoor({ caller }: StreamCall, chat: Chat): AnswerFormat {
    return chatDoor(chat, caller.requestId, providerText(this.models, caller));
  }

  private conversationDoor({ caller }: StreamCall, chat: Chat, isStarted: boolean): AnswerFormat {
    return conversationDoor(chat, isStarted, providerText(this.models, caller));
  }

  private async answerOf(call: StreamCall, chat: Chat, { runId }: Turn, door: AnswerFormat): Promise<ChatMessage> {
    const event: EndedRun = await this.waits.ended(chat, runId, call.reply.raw, () => door.gone());
    const failure = door.failure(event);
    if (failure !== undefined) throw failure;
    return event.answer;
  }
}

function beginningOf({ runId }: Turn): TokenPosition {
  return { runId, afterIndex: -1 };
}
