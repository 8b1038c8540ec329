import type { FollowedRow } from '../../../src/modules/chats/chats.functions';
import { givenUp, type RunEnd } from '../../../src/modules/chats/chats/chats.repository';
import type { ChatHint, ChatRef } from '../../../src/modules/chats/streams/chat-hub';
import type { ChatReads, LogPiece, RunSnapshot } from '../../../src/modules/chats/streams/chat-watch';
import { FollowedStates } from '../../../src/modules/chats/streams/followed.repository';
import type { LoggedMessage } from '../../../src/modules/messages';
import { message } from './fake-streams';

export const SIMULATED_CHAT: ChatRef = { tenantId: 'tenant', chatId: 'chat' };

const MESSAGE = {
  room_id: SIMULATED_CHAT.chatId,
  meta: null,
  status: null,
  created_at: new Date(0),
  deleted_at: null,
};

/** A run as the node that writes it and the database have it, and the hints that its node publishes. */
export class SimulatedRun {
  readonly ends: number[] = [];
  text = '';
  isBegun = false;
  ended: RunEnd | undefined;
  /** Tokens that the database has: they are published first. */
  private stored = 0;
  private thought = 0;

  constructor(
    readonly runId: string,
    readonly replyToSeq = 1,
  ) {}

  begin(): ChatHint {
    this.isBegun = true;
    return { kind: 'started', runId: this.runId };
  }

  add(tokens: readonly string[]): ChatHint {
    const first = this.ends.length;
    const start = this.text.length;
    this.stored = first;
    for (const token of tokens) {
      this.text += token;
      this.ends.push(this.text.length);
    }
    const ends = this.ends.slice(first).map((end) => end - start);
    return { kind: 'tokens', runId: this.runId, first, text: this.text.slice(start), ends };
  }

  /** Thinks, in words that say where: behind how many tokens, and which thought it is. */
  think(): ChatHint {
    const { thought: from, runId } = this;
    const first = this.ends.length;
    const text = `${first} ${from} `;
    this.thought += text.length;
    return { kind: 'reasoning', runId, first, from, text };
  }

  /** @param seq of the answer; the run alone is enough where no log is read */
  end(seq = 2): ChatHint {
    const { runId, replyToSeq } = this;
    const answer = message(this.text, { messageId: runId, seq, role: 'assistant', replyToSeq });
    this.ended = { answer };
    return { kind: 'ended', runId, count: this.ends.length, answer };
  }

  giveUp(): ChatHint {
    const end = givenUp(this.runId, this.replyToSeq, new Date(0));
    this.ended = end;
    return { kind: 'ended', runId: this.runId, count: 0, ...end };
  }

  snapshot(asked: number): RunSnapshot {
    const count = this.ends.length;
    const afterIndex = asked >= 0 && asked < count ? asked : -1;
    const text = this.text.slice(afterIndex < 0 ? 0 : this.ends[afterIndex]);
    return { afterIndex, text, index: count - 1, isBegun: this.isBegun, ended: this.ended };
  }

  /** As the database has it. */
  row(): FollowedRow {
    const unfinished = this.isBegun ? 'streaming' : 'queued';
    return {
      tenant_id: SIMULATED_CHAT.tenantId,
      room_id: SIMULATED_CHAT.chatId,
      run_id: this.runId,
      state: this.ended === undefined ? unfinished : 'completed',
      fence: 1,
      is_cancelled: false,
      tokens: this.ended === undefined ? this.stored : 0,
      last_seq: null,
    };
  }
}

/** A chat as the database has it, whose messages are answered one after the other. */
export class SimulatedChat {
  readonly log: LoggedMessage[] = [];
  readonly runs: SimulatedRun[] = [];
  isDeleted = false;

  /** The run whose turn it is. */
  get current(): SimulatedRun | undefined {
    return this.runs.find(({ ended }) => ended === undefined);
  }

  say(): ChatHint {
    const seq = this.log.length + 1;
    const run = new SimulatedRun(`run ${seq}`, seq);
    this.runs.push(run);
    const base = { ...MESSAGE, seq, message_id: `message ${seq}`, sender_id: 'alice', content: `message ${seq}` };
    this.log.push({ ...base, kind: 'user', reply_to_seq: null, client_message_id: `client ${seq}` });
    const told = message(base.content, { messageId: base.message_id, seq });
    return { kind: 'message', message: told, runId: run.runId, clientMessageId: `client ${seq}` };
  }

  /** Ends the run with its answer, or without one. */
  end(run: SimulatedRun, isGivenUp: boolean): ChatHint {
    if (isGivenUp) return run.giveUp();
    const seq = this.log.length + 1;
    const base = { ...MESSAGE, seq, message_id: run.runId, sender_id: 'agent_default', content: run.text };
    this.log.push({ ...base, kind: 'assistant', reply_to_seq: run.replyToSeq, client_message_id: run.runId });
    return run.end(seq);
  }

  delete(): ChatHint {
    this.isDeleted = true;
    return { kind: 'deleted' };
  }

  /** What a look finds that asks for the chat and these runs. */
  states(runIds: Iterable<string> = []): FollowedStates {
    const asked = new Set(runIds);
    const rows = this.runs
      .filter(({ runId, ended }) => asked.has(runId) || ended === undefined)
      .map((run) => run.row());
    const { tenantId: tenant_id, chatId: room_id } = SIMULATED_CHAT;
    const none = { run_id: null, state: null, fence: null, is_cancelled: null, tokens: 0 };
    const last_seq = this.isDeleted ? null : this.log.length;
    return new FollowedStates([...rows, { ...none, tenant_id, room_id, last_seq }]);
  }

  /** @param size messages of a piece */
  piece(afterSeq: number, size: number): LogPiece {
    const messages = this.log.slice(afterSeq, afterSeq + size);
    const runIds = this.runs.filter(({ replyToSeq }) => replyToSeq > afterSeq).map(({ runId }) => runId);
    return { messages, runIds, more: messages.length === size };
  }

  /** @param wait how long a read takes; what it gives is as it stands afterwards */
  reads(wait: () => Promise<void> = () => Promise.resolve(), size = 2): ChatReads {
    return {
      run: async (runId, afterIndex) => {
        await wait();
        return this.runs.find((run) => run.runId === runId)?.snapshot(afterIndex);
      },
      messages: async (afterSeq) => {
        await wait();
        return this.piece(afterSeq, size);
      },
    };
  }
}
