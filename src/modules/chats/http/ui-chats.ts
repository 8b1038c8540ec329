import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { invalid, notFound } from '../../../common/errors';
import type { Caller } from '../../../platform/auth';
import { forgetBody } from '../../../platform/http';
import { ChatsService } from '../chats/chats.service';
import { type Chat, type ChatMessage, EXTERNAL_CHAT_ID } from '../contract';
import { TurnsService } from '../turns/turns.service';
import { AnswerStreams, type StreamCall } from './answers';
import type { UiChatDto } from './dto/ui.dto';
import { requestOf, type UiRequest } from './ui-body';
import { UI_STREAM_HEADER, uiFormat, uiStart } from './ui-format';

/**
 * Chats as clients of the UI stream see them: of the caller's user only, by whatever that user's client calls them. A turn is
 * what it is on every other API; here are the client's words for it.
 */
@Injectable()
export class UiChats {
  constructor(
    private readonly chats: ChatsService,
    private readonly turns: TurnsService,
    private readonly streams: AnswerStreams,
  ) {}

  /** Says, edits or regenerates what the body says, and gives the answer. @throws 400, 404, 409, 422, 429, 503 */
  answer(call: StreamCall, body: UiChatDto): Promise<Readable> {
    const { caller } = call;
    const asked = requestOf(body);
    forgetBody(call.reply);
    return this.streams.withPermit(call, caller.userId, async () => {
      const chat = await this.chatOf(caller, body, asked);
      return this.open(call, chat, await this.runOf(caller, chat, asked));
    });
  }

  /** What is being answered, from its beginning; undefined: nothing is, or there is no such chat yet. @throws 404 for what is no id; 429 */
  async rejoin(call: StreamCall, id: string): Promise<Readable | undefined> {
    const { caller } = call;
    if (!EXTERNAL_CHAT_ID.test(id)) throw notFound('Chat');
    const chat = await this.chats.findOwn(caller, id);
    if (chat === undefined) return undefined;
    return this.streams.withPermit(call, caller.userId, async () => {
      const running = await this.streams.missing(chat, undefined);
      return running && this.open(call, chat, running.runId);
    });
  }

  /** Ends what is being answered or waits; resolves when the texts so far are stored. @throws 404 */
  async stop(caller: Caller, id: string): Promise<{ readonly chat: Chat; readonly stopped: readonly ChatMessage[] }> {
    const chat = await this.chats.findOwn(caller, id);
    if (chat === undefined) throw notFound('Chat');
    return { chat, stopped: await this.turns.stop(caller, chat) };
  }

  private async chatOf(caller: Caller, { id, preset }: UiChatDto, { kind }: UiRequest): Promise<Chat> {
    const chat = await this.chats.findOwn(caller, id);
    if (chat !== undefined) {
      if (preset !== undefined && preset !== chat.preset)
        throw invalid('preset', 'The chat has another preset; leave it out');
      return chat;
    }
    if (kind !== 'say') throw notFound('Chat');
    // No chat is made for a message that is refused.
    await this.turns.admit(caller, caller.userId);
    return this.chats.external(caller, id, preset);
  }

  private async runOf(caller: Caller, chat: Chat, asked: UiRequest): Promise<string> {
    if (asked.kind !== 'say') return this.turns.revise(caller, chat, asked);
    const { content, images, clientMessageId } = asked;
    return (await this.turns.send(caller, chat, { content, images, clientMessageId })).runId;
  }

  private open(call: StreamCall, chat: Chat, runId: string): Readable {
    call.reply.header(UI_STREAM_HEADER.name, UI_STREAM_HEADER.value);
    return this.streams.open(call, chat, { runId, afterIndex: -1 }, uiFormat(), [uiStart(chat, runId)]);
  }
}
