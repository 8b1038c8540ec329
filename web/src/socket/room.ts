/** One room as its client sees it: the log, and the passing news around it. */
import type { Frame, ServerFrame } from './frames';
import { RoomLog } from './room-log';

/** Typing ends by itself, should no end be told. */
const TYPING_MS = 10_000;

/** What a model is writing; the message itself follows and replaces it. */
export interface Draft {
  readonly senderId: string;
  readonly text: string;
}

export class Room {
  readonly log: RoomLog;
  /** The marks of the user, as the server confirmed them. */
  acked = 0;
  read = 0;
  /** User → the seq up to which they have read. */
  readonly readBy = new Map<string, number>();
  /** User → until when, in ms since 1970. */
  private readonly typists = new Map<string, number>();
  private readonly writing = new Map<string, Draft>();

  constructor(
    readonly roomId: string,
    last: { readonly seq: number; readonly rev: number; readonly id?: string | undefined },
  ) {
    this.log = new RoomLog(roomId, last);
  }

  get drafts(): readonly Draft[] {
    return [...this.writing.values()];
  }

  typing(now = Date.now()): readonly string[] {
    return [...this.typists].filter(([, until]) => until > now).map(([user]) => user);
  }

  /** News that stand in no log. */
  news(frame: ServerFrame): void {
    if (frame.type === 'read.update') this.reads(frame.user_id, frame.seq);
    else if (frame.type === 'typing') this.types(frame);
    else if (frame.type === 'ack.received') this.acked = Math.max(this.acked, frame.seq);
    else if (frame.type === 'read.received') {
      this.read = Math.max(this.read, frame.seq);
      this.acked = Math.max(this.acked, frame.seq);
      this.reads(frame.user_id, frame.seq);
    } else if (frame.type === 'message') this.said(frame);
    else if (frame.type === 'message.stream.start')
      this.writing.set(frame.message_id, { senderId: frame.sender_id, text: '' });
    else if (frame.type === 'message.stream.delta') this.goesOn(frame);
    else if (frame.type === 'message.stream.end') this.writing.delete(frame.message_id);
  }

  /** The connection is gone: what passes is not known any more. */
  lost(): void {
    this.typists.clear();
    this.writing.clear();
  }

  private reads(userId: string, seq: number): void {
    this.readBy.set(userId, Math.max(seq, this.readBy.get(userId) ?? 0));
  }

  private types({ user_id: user, action }: Frame<'typing'>): void {
    if (action === 'start') this.typists.set(user, Date.now() + TYPING_MS);
    else this.typists.delete(user);
  }

  private said({ sender_id: sender, message_id: id }: Frame<'message'>): void {
    this.typists.delete(sender);
    this.writing.delete(id);
  }

  private goesOn({ message_id: id, text }: Frame<'message.stream.delta'>): void {
    const draft = this.writing.get(id);
    // Who connects in the middle gets no start, and the whole as a message in the end.
    if (draft !== undefined) this.writing.set(id, { ...draft, text: draft.text + text });
  }
}
