import fc from 'fast-check';
import type { NewMessage } from '../../src/modules/messages/appender/item';
import { aiAnswer, aiTurn } from './ai-chats';
import { messageTo, type RoomRef } from './append-model';

/** What one item of a call does, in one of two chats. */
export interface BusyItem {
  readonly chat: 0 | 1;
  /** `turn`: a message with a run. `answer`: that of the oldest run that is not over. `bare`: a message without a run. */
  readonly does: 'turn' | 'answer' | 'bare';
  readonly sender: 'alice' | 'mallory';
  readonly clientId: string | null;
  readonly onlyIfFree: boolean;
}

const item: fc.Arbitrary<BusyItem> = fc.record({
  chat: fc.constantFrom(0 as const, 1 as const),
  does: fc.constantFrom('turn', 'turn', 'turn', 'answer', 'answer', 'bare'),
  sender: fc.constantFrom('alice', 'alice', 'alice', 'mallory'),
  clientId: fc.option(fc.constantFrom('c1', 'c2'), { freq: 3 }),
  onlyIfFree: fc.boolean(),
});

/** Calls of the append, one after the other. */
export const busyCalls = fc.array(fc.array(item, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });

interface Expected {
  readonly message: NewMessage;
  readonly status: string;
  readonly seq: number | null;
}

/** A chat as it should be: what is in its log, and which runs are not over. */
class Chat {
  private seq = 0;
  private readonly seqs = new Map<string, number>();
  private readonly open: string[] = [];
  private wasBusy = false;
  private seen = new Set<string>();

  constructor(private readonly room: RoomRef) {}

  beginCall(): void {
    this.wasBusy = this.open.length > 0;
    this.seen = new Set();
  }

  /** What the next item is, and what becomes of it; undefined where there is nothing to answer, or it would be a repeat. */
  next({ does, sender, clientId, onlyIfFree }: BusyItem, startedBefore: boolean): Expected | undefined {
    if (does === 'answer') {
      // A run that this very call starts has no answer yet.
      const runId = this.wasBusy && !startedBefore ? this.open.shift() : undefined;
      if (runId === undefined) return undefined;
      return { message: aiAnswer(this.room, runId, 'An answer'), status: 'new', seq: ++this.seq };
    }
    const key = `${sender} ${clientId ?? ''}`;
    if (clientId !== null && this.seen.has(key)) return undefined;
    this.seen.add(key);
    const more = { senderId: sender, clientMessageId: clientId, onlyIfFree };
    const message = does === 'turn' ? aiTurn(this.room, more) : messageTo(this.room, more);
    const before = clientId === null ? undefined : this.seqs.get(key);
    if (before !== undefined) return { message, status: 'duplicate', seq: before };
    if (sender === 'mallory') return { message, status: 'not_member', seq: null };
    if (does === 'bare') return { message, status: 'ai', seq: null };
    if (onlyIfFree && (this.wasBusy || startedBefore)) return { message, status: 'busy', seq: null };
    this.open.push((message as { readonly runId?: string }).runId ?? '');
    if (clientId !== null) this.seqs.set(key, this.seq + 1);
    return { message, status: 'new', seq: ++this.seq };
  }
}

/** Says of each call what its items are and what becomes of them. */
export class BusyModel {
  private readonly chats: readonly Chat[];

  constructor(rooms: readonly RoomRef[]) {
    this.chats = rooms.map((room) => new Chat(room));
  }

  call(items: readonly BusyItem[]): readonly Expected[] {
    for (const chat of this.chats) chat.beginCall();
    const started = new Set<number>();
    return items.flatMap((one) => {
      const expected = this.chats[one.chat]?.next(one, started.has(one.chat));
      if (expected === undefined) return [];
      if (expected.status === 'new' && one.does === 'turn') started.add(one.chat);
      return [expected];
    });
  }
}
