import type { AppendRow, LookupRow } from '../../src/modules/messages/messages.functions';
import type { NewMessage } from '../../src/modules/messages/appender/item';

interface Failure {
  readonly error: Error;
  /** The transaction commits although the caller is told otherwise. */
  readonly committed: boolean;
}

/** The append function and its look-up, on an array; connections die as a test says. */
export class FakeAppendLog {
  /** Message ids in order of seq. */
  readonly stored: string[] = [];
  lookupFails: Error | undefined;
  /** For so many more appends, rooms of this id are held by somebody else. */
  held: { roomId: string; appends: number } | undefined;
  private readonly failures: Failure[] = [];

  /** @param bad ids of messages that PostgreSQL cannot store (22P05) */
  constructor(private readonly bad: ReadonlySet<string> = new Set()) {}

  /** What happens to the next append; the one after it to the next but one, and so on. */
  nextAppend(failure: Failure): void {
    this.failures.push(failure);
  }

  append(batch: readonly NewMessage[]): Promise<AppendRow[]> {
    const failure = this.failures.shift();
    if (failure && !failure.committed) return Promise.reject(failure.error);
    if (batch.some(({ messageId }) => this.bad.has(messageId)))
      return Promise.reject(Object.assign(new Error('untranslatable character'), { code: '22P05' }));
    if (batch.some(({ messageId }) => this.stored.includes(messageId)))
      return Promise.reject(Object.assign(new Error('duplicate key'), { code: '23505' }));
    const heldRoom = this.held && this.held.appends-- > 0 ? this.held.roomId : undefined;
    for (const { messageId, roomId } of batch) if (roomId !== heldRoom) this.stored.push(messageId);
    if (failure) return Promise.reject(failure.error);
    const known = new Map(this.rows(batch).map((row) => [row.item, row]));
    return Promise.resolve(
      batch.map((_, i) => {
        const row = known.get(i + 1);
        if (row) return { ...row, status: 'new' as const };
        return { item: i + 1, status: 'locked' as const, message_id: '', seq: 0, rev: 0, created_at: new Date(0) };
      }),
    );
  }

  lookup(batch: readonly NewMessage[]): Promise<LookupRow[]> {
    return this.lookupFails ? Promise.reject(this.lookupFails) : Promise.resolve(this.rows(batch));
  }

  private rows(batch: readonly NewMessage[]): Omit<AppendRow, 'status'>[] {
    return batch.flatMap(({ messageId }, i) => {
      const seq = this.stored.indexOf(messageId) + 1;
      return seq === 0 ? [] : [{ item: i + 1, message_id: messageId, seq, rev: seq, created_at: new Date(seq) }];
    });
  }
}

/** Messages of one room and sender. */
export function newMessages(count: number): NewMessage[] {
  return Array.from({ length: count }, (_, i) => ({
    tenantId: 'tenant',
    roomId: 'room',
    messageId: `message-${i}`,
    senderId: 'alice',
    clientMessageId: null,
    bodyHash: Buffer.alloc(32, i),
    content: `text ${i}`,
    metaText: null,
  }));
}
