import { Injectable } from '@nestjs/common';
import { newUuid } from '../../../common/ids';
import { canonicalJson } from '../../../common/text';
import type { Caller } from '../../../platform/auth';
import { type AiTurn, AiTurns, bindingId, MessageWriter, metaText, type Said } from '../../messages';
import { Models } from '../../models';
import { type Chat, type ChatMessage, type NewTurn, type Turn, Turns } from '../contract';
import { messageSaid } from '../chats/chat-row';
import { Interrupts } from './interrupts';
import { Reruns } from './reruns';
import { Stops } from './stops';
import { type OpenTurn, TurnGate } from './turn-gate';

/** Turns that the Rooms API begins and ends. */
@Injectable()
export class RoomTurns extends AiTurns {
  constructor(
    private readonly gate: TurnGate,
    private readonly interrupts: Interrupts,
  ) {
    super();
  }

  begin(caller: Caller, said: Said): Promise<AiTurn> {
    return this.gate.beginInRoom(caller, said);
  }

  /** Nobody waits for that. */
  cancelled(runIds: readonly string[]): void {
    this.interrupts.now(runIds);
  }
}

/** Turns through the doors of the chats. */
@Injectable()
export class TurnsService extends Turns {
  constructor(
    private readonly writer: MessageWriter,
    private readonly models: Models,
    private readonly gate: TurnGate,
    private readonly reruns: Reruns,
    private readonly stops: Stops,
  ) {
    super();
  }

  async admit(caller: Caller, userId: string): Promise<void> {
    await this.models.available(caller.tenantId);
    await this.gate.admit(caller, userId);
  }

  async send(caller: Caller, chat: Chat, input: NewTurn): Promise<Turn> {
    const said = saidIn(caller, chat, input);
    const turn = await this.open(caller, chat, said, input);
    try {
      const isBoundByKey = input.clientMessageId === undefined;
      const stored = await this.writer.say(caller, said, isBoundByKey, turn);
      const message = messageSaid(said, stored);
      if (turn !== undefined && stored.status === 'new') return { message, runId: turn.runId, replayed: false };
      const runId = await this.reruns.ofMessage(chat, stored.seq, input.options);
      return { message, runId, replayed: stored.status === 'duplicate' };
    } finally {
      turn?.release();
    }
  }

  regenerate(caller: Caller, chat: Chat): Promise<Turn> {
    return this.reruns.last(caller, chat);
  }

  stop(caller: Caller, chat: Chat): Promise<readonly ChatMessage[]> {
    return this.stops.all(caller, chat);
  }

  /** What is stored already is answered whatever the limits say by now: then there is no turn. */
  private async open(caller: Caller, chat: Chat, said: Said, input: NewTurn): Promise<OpenTurn | undefined> {
    try {
      await this.models.available(chat.tenantId);
      return await this.gate.begin(caller, said, chat.userId, input);
    } catch (error) {
      if (await this.reruns.isKnown(said)) return undefined;
      throw error;
    }
  }
}

function saidIn(caller: Caller, { tenantId, chatId, userId }: Chat, input: NewTurn): Said {
  return {
    tenantId,
    roomId: chatId,
    messageId: newUuid(),
    senderId: userId,
    content: input.content,
    metaText: metaText(input.metadata),
    clientMessageId: bindingId(caller, input.clientMessageId),
    ...(input.options === undefined ? {} : { alsoEqual: canonicalJson(input.options) }),
  };
}
