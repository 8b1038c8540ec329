import fc from 'fast-check';
import { newUuid } from '../../src/common/ids';
import { chatCreate } from '../../src/modules/chats/chats.functions';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { usageCountRooms, usageCountRuns } from '../../src/modules/usage/usage.functions';
import { type AppendFixture, messageTo, type RoomRef, WAITING } from './append-model';
import { roomTrim } from './schema-function-calls';

const AGENT = 'agent_default';
export const SENDERS = ['alice', 'bob'] as const;

/** What may happen to what is counted; a number picks one of what there is. */
export type UsageOp =
  | { readonly type: 'send'; readonly room: number; readonly senders: readonly string[]; readonly size: number }
  | { readonly type: 'edit'; readonly message: number; readonly size: number; readonly meta: boolean }
  | { readonly type: 'delete'; readonly message: number }
  | { readonly type: 'trim'; readonly room: number; readonly part: number }
  | { readonly type: 'answer'; readonly tokens: number; readonly estimated: boolean }
  | { readonly type: 'count'; readonly rooms: number; readonly messages: number };

const pick = fc.nat(1000);
const sender = fc.constantFrom(...SENDERS);

export const usageOp: fc.Arbitrary<UsageOp> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ type: fc.constant('send' as const), room: pick },
      ...{ senders: fc.array(sender, { minLength: 1, maxLength: 6 }), size: fc.integer({ min: 1, max: 3000 }) },
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ type: fc.constant('edit' as const), message: pick },
      ...{ size: fc.integer({ min: 1, max: 3000 }), meta: fc.boolean() },
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), message: pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('trim' as const), room: pick, part: fc.nat(10) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('answer' as const), tokens: fc.nat(100), estimated: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ type: fc.constant('count' as const) },
      ...{ rooms: fc.integer({ min: 1, max: 3 }), messages: fc.integer({ min: 1, max: 9 }) },
    }),
  },
);

interface Sent {
  readonly room: RoomRef;
  readonly id: string;
  readonly sender: string;
}

/** What usage comes to. */
export interface Figures {
  readonly messages: number;
  readonly bytes: number;
  /** messages, runs, prompt, completion and estimated tokens of each */
  readonly users: Readonly<Record<string, readonly number[]>>;
  readonly rooms: Readonly<Record<string, readonly number[]>>;
  readonly models: Readonly<Record<string, readonly number[]>>;
}

const NONE = [0, 0, 0, 0, 0];
const add = (to: Record<string, readonly number[]>, key: string, figures: readonly number[]): void => {
  to[key] = (to[key] ?? NONE).map((n, i) => n + (figures[i] ?? 0));
};

/** A tenant with rooms in which things happen, and a count of its own of what that comes to. */
export class UsageModel {
  private readonly sent: Sent[] = [];
  private readonly users: Record<string, readonly number[]> = {};
  private readonly byRoom: Record<string, readonly number[]> = {};
  private readonly models: Record<string, readonly number[]> = {};

  private constructor(
    private readonly bench: AppendFixture,
    readonly rooms: readonly RoomRef[],
    readonly chat: RoomRef,
  ) {}

  static async create(bench: AppendFixture): Promise<UsageModel> {
    const tenantId = await bench.tenant();
    const rooms = [await bench.room({ tenantId }), await bench.room({ tenantId }), await bench.room({ tenantId })];
    return new UsageModel(bench, rooms, await newChat(bench, tenantId));
  }

  get tenantId(): string {
    return this.chat.tenantId;
  }

  async perform(op: UsageOp): Promise<void> {
    if (op.type === 'send') return this.send(op);
    if (op.type === 'answer') return this.answer(op);
    if (op.type === 'trim') return this.trim(op);
    if (op.type === 'count') return this.count(op);
    const target = this.sent[op.message % Math.max(this.sent.length, 1)];
    if (!target) return;
    const where = { p_room: target.room.roomId, p_message: target.id, p_user: target.sender };
    if (op.type === 'delete') await this.bench.call(target.room, messageDelete, where);
    else
      await this.bench.call(target.room, messageEdit, {
        ...where,
        p_content: 'é'.repeat(op.size),
        ...(op.meta && { p_meta: JSON.stringify({ n: op.size }) }),
      });
  }

  /** What it comes to: who sent and asked as the model has it, what is stored as the log has it. */
  async figures(): Promise<Figures> {
    const [stored] = await this.bench.database.sql<{ bytes: number }>(
      `SELECT COALESCE(sum(octet_length(content) + COALESCE(octet_length(meta::text), 0)), 0)::int AS bytes
       FROM messages WHERE tenant_id = $1`,
      [this.tenantId],
    );
    const { users, byRoom: rooms, models } = this;
    const messages = Object.values(users).reduce((sum, [n = 0]) => sum + n, 0);
    return { messages, bytes: stored?.bytes ?? NaN, users, rooms, models };
  }

  private async send({ room, senders, size }: UsageOp & { type: 'send' }): Promise<void> {
    const to = this.rooms[room % this.rooms.length] ?? this.chat;
    const batch = senders.map((senderId) => messageTo(to, { senderId, content: 'x'.repeat(size) }));
    for (const row of await this.bench.repository.append(batch, WAITING)) {
      const message = batch[row.item - 1];
      if (row.status !== 'new' || !message) throw new Error(`not stored: ${row.status}`);
      this.stored(to, message.messageId, message.senderId);
    }
  }

  private async answer({ tokens, estimated }: UsageOp & { type: 'answer' }): Promise<void> {
    const runId = newUuid();
    const { roomId } = this.chat;
    const payload = { run_id: runId, room_id: roomId, user_id: 'alice' };
    const question = messageTo(this.chat, { jobs: [{ kind: 'run', key: roomId, payload }] });
    const row = await this.bench.appendOne(question);
    const run = {
      ...{ channel: 'main', model: 'm', finish_reason: 'stop', token_count: 1, estimated },
      ...{ prompt_tokens: tokens, completion_tokens: 2 * tokens, total_tokens: 3 * tokens },
    };
    const told = { status: 'completed', replyToSeq: row.seq, run };
    const content = 'y'.repeat(tokens + 1);
    await this.bench.appendOne(
      messageTo(this.chat, { messageId: runId, clientMessageId: runId, senderId: AGENT, content, answer: told }),
    );
    this.stored(this.chat, question.messageId, 'alice');
    this.stored(this.chat, runId, AGENT);
    const used = [0, 1, tokens, 2 * tokens, estimated ? 3 * tokens : 0];
    add(this.users, 'alice', used);
    add(this.byRoom, roomId, used);
    add(this.models, 'main default', used);
  }

  private async trim({ room, part }: UsageOp & { type: 'trim' }): Promise<void> {
    const where = this.rooms[room % this.rooms.length] ?? this.chat;
    const { last_seq } = await this.bench.counters(where);
    const first = Math.floor((last_seq * part) / 10) + 1;
    await this.bench.call(where, roomTrim, { p_room: where.roomId, p_first_seq: first });
  }

  private async count({ rooms, messages }: UsageOp & { type: 'count' }): Promise<void> {
    const { database } = this.bench.open;
    const walk = {
      p_after: newUuid().replace(/./g, (c) => (c === '-' ? c : '0')),
      p_rooms: rooms,
      p_messages: messages,
    };
    const { after } = await usageCountRooms.call(database, this.tenantId, walk);
    if (after !== null) await usageCountRooms.call(database, this.tenantId, { ...walk, p_after: after });
    await usageCountRuns.call(database, this.tenantId, { p_limit: messages });
  }

  private stored(room: RoomRef, id: string, senderId: string): void {
    this.sent.push({ room, id, sender: senderId });
    add(this.users, senderId, [1]);
    add(this.byRoom, room.roomId, [1]);
  }
}

async function newChat(bench: AppendFixture, tenantId: string): Promise<RoomRef> {
  const room = { tenantId, roomId: newUuid() };
  await bench.call(room, chatCreate, {
    ...{ p_room: room.roomId, p_user: 'alice', p_preset: 'default', p_agent: AGENT, p_title: 'New chat' },
    ...{ p_auto_title: true, p_active: false },
  });
  return room;
}
