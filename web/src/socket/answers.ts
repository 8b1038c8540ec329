/**
 * The talk of one AI chat, out of pages of its history and the events of /ws/chat. The tokens of an answer are kept by
 * their index, so that a stream that begins anew anywhere leaves neither a gap nor a double (docs/protocol.md, "Come back").
 */
import type { ChatServerFrame, Frame } from './frames';

export type AnswerStatus = Frame<'chat.message_stream_ended'>['status'] | 'streaming';

export interface ChatTurn {
  readonly id: string;
  readonly role: 'user' | 'assistant' | 'system';
  readonly text: string;
  /** Undefined: it is being written. */
  readonly seq: number | undefined;
  /** Of an answer. */
  readonly status?: AnswerStatus | undefined;
  /** Index of the last token that came; −1: none. */
  readonly index?: number;
  /** Times that the stream was taken up again. */
  readonly resumes?: number;
  readonly tokens?: number | undefined;
}

/** A message as the pages of a chat have it. */
export interface ChatPageMessage {
  readonly id: string;
  readonly sender_role: 'user' | 'assistant' | 'system';
  readonly seq: number;
  readonly content: string;
  readonly status?: string | undefined;
  readonly deleted_at?: string | null | undefined;
  readonly usage?: { readonly total_tokens: number } | null | undefined;
}

interface Token {
  readonly index: number;
  readonly text: string;
}

export class Answers {
  private readonly turns = new Map<string, ChatTurn>();
  private readonly tokens = new Map<string, readonly Token[]>();
  private sorted: readonly ChatTurn[] = [];

  /** In order; what is being written stands last. */
  get all(): readonly ChatTurn[] {
    return this.sorted;
  }

  /** The answer that is being written, with the place from which it can be resumed. */
  get streaming(): ChatTurn | undefined {
    return this.sorted.findLast(({ status }) => status === 'streaming');
  }

  page(messages: readonly ChatPageMessage[]): void {
    for (const { id, sender_role: role, seq, content, status, usage, deleted_at: deleted } of messages) {
      const known = this.turns.get(id);
      if (deleted != null) this.turns.delete(id);
      else
        this.turns.set(id, {
          ...known,
          ...{ id, role, seq, text: content, tokens: usage?.total_tokens },
          status: role === 'assistant' ? (status as AnswerStatus | undefined) : undefined,
        });
    }
    this.sort();
  }

  /** @returns whether it was an event of the talk */
  take(event: ChatServerFrame): boolean {
    switch (event.event_type) {
      case 'message_received':
        this.put({ id: event.message_id, role: 'user', text: event.content, seq: event.seq });
        return true;
      case 'message_stream_started':
        this.started(event);
        return true;
      case 'message_stream_token':
        this.token(event);
        return true;
      case 'message_stream_ended':
        this.ended(event);
        return true;
      default:
        return false;
    }
  }

  /** Another one takes its place. */
  superseded(id: string): void {
    const turn = this.turns.get(id);
    if (turn !== undefined) this.put({ ...turn, status: 'superseded' });
  }

  private started({ message_id: id, after_index: after }: Frame<'chat.message_stream_started'>): void {
    const known = this.turns.get(id);
    const kept = (this.tokens.get(id) ?? []).filter(({ index }) => index <= after);
    this.tokens.set(id, kept);
    this.put({
      ...{ id, role: 'assistant', text: joined(kept), seq: known?.seq, status: 'streaming', index: after },
      resumes: known === undefined ? 0 : (known.resumes ?? 0) + 1,
    });
  }

  private token({ message_id: id, index, token }: Frame<'chat.message_stream_token'>): void {
    const known = this.turns.get(id);
    if (known === undefined || index <= (known.index ?? -1)) return;
    this.tokens.set(id, [...(this.tokens.get(id) ?? []), { index, text: token }]);
    this.put({ ...known, text: known.text + token, index });
  }

  private ended(event: Frame<'chat.message_stream_ended'>): void {
    const { message_id: id, seq, content, status, usage } = event;
    this.put({
      ...this.turns.get(id),
      ...{ id, role: 'assistant', text: content, seq, status, tokens: usage?.total_tokens },
    });
  }

  private put(turn: ChatTurn): void {
    this.turns.set(turn.id, turn);
    this.sort();
  }

  private sort(): void {
    this.sorted = [...this.turns.values()].sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0);
  }
}

function joined(tokens: readonly Token[]): string {
  return tokens.map(({ text }) => text).join('');
}
