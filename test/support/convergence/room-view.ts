import type { Api } from '../http/api';
import { allChanges, type MessageBody } from '../messages';
import { bodyOf } from '../rooms';
import type { ServerFrame } from '../ws/client';

/** A message as a client has it. */
export interface SeenMessage {
  readonly id: string;
  readonly rev: number;
  readonly content: string;
  readonly isDeleted: boolean;
  /** Of a room as it is listed: what is shown of its reactions (`shownAs`); left out: it is not compared. */
  readonly reactions?: string;
}

/** What is shown of a message's reactions to all alike, as text; none and no more are the same. */
export function shownAs(reactions: unknown): string {
  const shown = (reactions ?? []) as readonly { key: string; count: number; users: readonly string[] }[];
  return JSON.stringify(shown.map(({ key, count, users }) => [key, count, users]));
}

/** What a client knows of a room, and how it may come back: whatever arrives twice or late changes nothing. */
export class RoomView {
  readonly messages = new Map<number, SeenMessage>();
  /** Undefined role: they have left. */
  readonly members = new Map<string, { readonly rev: number; readonly role: string | undefined }>();
  readonly reads = new Map<string, number>();
  /** Of messages that were ever reacted to. */
  readonly reactions = new Map<number, { readonly rev: number; readonly shown: string }>();
  /** Nothing is missing up to here: `after_seq` of the next sync. */
  seq = 0;
  /** No change is missing up to here: `after_rev` of the next sync. */
  rev = 0;
  /** What comes is live: a sync has brought everything before it. */
  isLive = false;

  constructor(private readonly founders: ReadonlyMap<string, string>) {
    this.forget();
  }

  /** Drops all that it has: the log was put back, or is another one. */
  forget(): void {
    for (const part of [this.messages, this.members, this.reads, this.reactions]) part.clear();
    for (const [userId, role] of this.founders) this.members.set(userId, { rev: 0, role });
    [this.seq, this.rev, this.isLive] = [0, 0, false];
  }

  /** Takes members as they were listed when the room was at least at `rev`. */
  learn(rev: number, roles: ReadonlyMap<string, string>): void {
    for (const userId of new Set([...this.members.keys(), ...roles.keys()]))
      if (rev >= (this.members.get(userId)?.rev ?? 0)) this.members.set(userId, { rev, role: roles.get(userId) });
  }

  /** The room keeps nothing before this message. */
  begin(firstSeq: number): void {
    for (const seq of this.messages.keys()) if (seq < firstSeq) this.messages.delete(seq);
    this.seq = Math.max(this.seq, firstSeq - 1);
    this.advance();
  }

  /** The id of the message up to which nothing is missing. */
  get lastId(): string | undefined {
    return this.messages.get(this.seq)?.id;
  }

  /** Whether the log has another message there than this client: what the client has never was, or is no more. */
  contradicts(seq: number, id: unknown): boolean {
    const seen = this.messages.get(seq);
    return seen !== undefined && seen.id !== id;
  }

  apply(frame: ServerFrame): void {
    const rev = Number(frame['rev']);
    const user = String(frame['user_id']);
    if (frame.type === 'reaction.updated') this.react(frame, rev);
    else if (/^message(\.updated|\.deleted)?$/.test(frame.type)) this.message(frame, rev);
    else if (frame.type === 'read.update')
      this.reads.set(user, Math.max(this.reads.get(user) ?? 0, Number(frame['seq'])));
    else if (frame.type.startsWith('member.') && rev >= (this.members.get(user)?.rev ?? 0))
      this.members.set(user, { rev, role: frame.type === 'member.left' ? undefined : String(frame['role']) });
    // A message that was edited before it came stands before revisions that are lower than its own.
    const isInPlace = frame.type !== 'message' || (frame['edited_at'] === null && frame['deleted_at'] === null);
    if (this.isLive && isInPlace && Number.isInteger(rev)) this.rev = Math.max(this.rev, rev);
  }

  /** Each part of a message by its own revision. */
  private react(frame: ServerFrame, rev: number): void {
    const seq = Number(frame['seq']);
    if (rev > (this.reactions.get(seq)?.rev ?? 0)) this.reactions.set(seq, { rev, shown: shownAs(frame['reactions']) });
  }

  private message(frame: ServerFrame, rev: number): void {
    const seq = Number(frame['seq']);
    if (frame['reactions_rev'] !== undefined) this.react(frame, Number(frame['reactions_rev']));
    if (rev <= (this.messages.get(seq)?.rev ?? 0)) return;
    const isDeleted = typeof frame['deleted_at'] === 'string';
    const content = isDeleted ? '' : String(frame['content']);
    this.messages.set(seq, { id: String(frame['message_id']), rev, content, isDeleted });
    this.advance();
  }

  /** A deleted message has none any more. */
  reactionsOf(seq: number): string {
    const shown = this.messages.get(seq)?.isDeleted === true ? undefined : this.reactions.get(seq)?.shown;
    return shown ?? shownAs(undefined);
  }

  private advance(): void {
    while (this.messages.has(this.seq + 1)) this.seq++;
  }
}

/** A room as the server lists it in the end. */
export interface ListedRoom {
  /** The oldest message that is kept. Default 1. */
  readonly firstSeq?: number;
  readonly messages: readonly SeenMessage[];
  readonly roles: ReadonlyMap<string, string>;
  readonly reads: ReadonlyMap<string, number>;
}

/** Where a client's view of a room is not the room; empty: nowhere. */
export function divergences(view: RoomView, truth: ListedRoom, userId: string): string[] {
  const faults: string[] = [];
  const { firstSeq = 1 } = truth;
  for (const [i, message] of truth.messages.entries()) {
    const seq = firstSeq + i;
    const seen = view.messages.get(seq);
    if (seen === undefined) faults.push(`message ${seq} is missing`);
    else if (
      (message.reactions !== undefined && view.reactionsOf(seq) !== message.reactions) ||
      seen.id !== message.id ||
      seen.rev !== message.rev ||
      seen.content !== message.content ||
      seen.isDeleted !== message.isDeleted
    )
      faults.push(
        `message ${seq} is ${JSON.stringify(seen)} ${view.reactionsOf(seq)}, should be ${JSON.stringify(message)}`,
      );
  }
  if (view.messages.size > truth.messages.length) faults.push('there are messages that the room does not have');
  const present = [...view.members].flatMap(([id, { role }]) => (role === undefined ? [] : [`${id}:${role}`]));
  const expected = [...truth.roles].map(([id, role]) => `${id}:${role}`);
  if (present.sort().join() !== expected.sort().join())
    faults.push(`its members are ${present.join()}, should be ${expected.join()}`);
  for (const [reader, seq] of truth.reads)
    if (reader !== userId && view.reads.get(reader) !== seq)
      faults.push(`${reader} has read up to ${view.reads.get(reader)}, should be ${seq}`);
  return faults;
}

/** What lies between two positions of a room, as frames: messages by seq, and other changes by rev if they are given. */
export async function framesBetween(
  by: Api,
  roomId: string,
  afterSeq: number,
  beforeSeq: number,
  afterRev: unknown,
  beforeRev: unknown,
): Promise<ServerFrame[]> {
  const frames: ServerFrame[] = [];
  for (let after = afterSeq; after < beforeSeq - 1;) {
    const query = `after_seq=${after}&before_seq=${beforeSeq}&limit=100`;
    const page = bodyOf(await by.get<MessageBody[]>(`/rooms/${roomId}/messages?${query}`));
    frames.push(...page.map((message) => ({ ...message, type: 'message' })));
    after = page.at(-1)?.seq ?? beforeSeq;
  }
  if (afterRev === undefined) return frames;
  const changes = await allChanges(by, roomId, Number(afterRev));
  return [...frames, ...changes.filter(({ rev }) => rev < Number(beforeRev)).map((change) => ({ ...change }))];
}
