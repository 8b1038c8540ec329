import type { MessageChange } from '../../src/modules/messages/messages.functions';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { roomCut, roomRetain } from '../../src/modules/rooms/rooms.functions';
import { userHold } from '../../src/modules/tenants/tenants.functions';
import { Trimming } from '../../src/modules/retention/trimming';
import { SystemClock } from '../../src/common/time';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { type AppendFixture, messageTo, type RoomRef } from './append-model';
import { RecordingFeed } from './realtime/recording-feed';

/** Users of the rooms; the first is their admin. */
export const USERS = ['alice', 'bob', 'cat'] as const;
export type User = (typeof USERS)[number];

/** What is to be of a message. */
export interface ModelMessage {
  readonly id: string;
  readonly sender: User;
  content: string;
  /** Days. */
  age: number;
  isDeleted: boolean;
}

/** What is to be of a room: `messages` by seq − 1, those that have gone among them. */
export interface ModelRoom extends RoomRef {
  readonly messages: ModelMessage[];
  firstSeq: number;
  days: number | null;
  isHeld: boolean;
}

/** What stands in a room's tables, in one snapshot. */
export interface StoredRoom {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly messages: readonly { readonly seq: number; readonly content: string; readonly is_deleted: boolean }[];
  readonly held: readonly string[];
}

const STORED = `
SELECT r.first_seq::int, r.last_seq::int,
  (SELECT COALESCE(json_agg(json_build_object('seq', m.seq, 'content', m.content, 'is_deleted', m.deleted_at IS NOT NULL)
     ORDER BY m.seq), '[]') FROM messages m WHERE m.tenant_id = r.tenant_id AND m.room_id = r.room_id) AS messages,
  (SELECT COALESCE(json_agg(h.content ORDER BY h.seq, h.rev), '[]') FROM held_messages h
   WHERE h.tenant_id = r.tenant_id AND h.room_id = r.room_id) AS held
FROM rooms r WHERE r.tenant_id = $1 AND r.room_id = $2`;

/** A tenant with rooms, beside what is to be of them: what invariant 3 of the retention lets stay, and nothing else. */
export class RetentionModel {
  readonly rooms: ModelRoom[] = [];
  readonly feed = new RecordingFeed();
  readonly trimming: Trimming;
  days: number | null = null;
  readonly heldUsers = new Set<User>();
  /** Contents that were kept under holds. */
  private readonly kept: { readonly room: ModelRoom; readonly seq: number; readonly content: string }[] = [];
  private said = 0;

  private constructor(
    readonly bench: AppendFixture,
    readonly tenantId: string,
  ) {
    const metrics = new Metrics(new SilentLog());
    this.trimming = new Trimming(bench.open.database, this.feed, metrics, new SystemClock());
  }

  static async make(bench: AppendFixture, rooms: number): Promise<RetentionModel> {
    const model = new RetentionModel(bench, await bench.tenant());
    for (let n = 0; n < rooms; n++) {
      const room = await bench.room({ tenantId: model.tenantId, members: [...USERS] });
      model.rooms.push({ ...room, messages: [], firstSeq: 1, days: null, isHeld: false });
    }
    return model;
  }

  room(n: number): ModelRoom {
    const room = this.rooms[n % this.rooms.length];
    if (room === undefined) throw new Error('there is no room');
    return room;
  }

  async send(room: ModelRoom, sender: User): Promise<void> {
    const content = `said ${this.said++}`;
    const message = messageTo(room, { senderId: sender, content });
    const row = await this.bench.appendOne(message);
    if (row.status !== 'new') throw new Error(`not stored: ${row.status}`);
    room.messages[row.seq - 1] = { id: message.messageId, sender, content, age: 0, isDeleted: false };
  }

  /** @returns whether it was done; what has gone, or is deleted, is not found */
  async edit(room: ModelRoom, seq: number): Promise<boolean> {
    const message = room.messages[seq - 1];
    if (message === undefined) return false;
    const content = `edited ${this.said++}`;
    const args = { p_room: room.roomId, p_message: message.id, p_user: message.sender, p_content: content };
    const { status } = await this.bench.call(room, messageEdit, args);
    if (status !== 'ok') return refused(status);
    this.keep(room, seq, message);
    message.content = content;
    return true;
  }

  async delete(room: ModelRoom, seq: number): Promise<boolean> {
    const message = room.messages[seq - 1];
    if (message === undefined) return false;
    const args = { p_room: room.roomId, p_message: message.id, p_user: message.sender };
    const { status } = (await this.bench.call(room, messageDelete, args)) as Pick<MessageChange, 'status'>;
    if (status === 'unchanged') return true;
    if (status !== 'ok') return refused(status);
    this.keep(room, seq, message);
    [message.content, message.isDeleted] = ['', true];
    return true;
  }

  /** Days go by. */
  async age(days: number): Promise<void> {
    for (const table of ['messages', 'room_events'])
      await this.sql(
        `UPDATE ${table} SET created_at = created_at - make_interval(days => $2) WHERE tenant_id = $1`,
        days,
      );
    for (const room of this.rooms) for (const message of room.messages) message.age += days;
  }

  async keepFor(days: number | null): Promise<void> {
    await this.sql(
      `UPDATE tenants SET settings = CASE WHEN $2::int IS NULL THEN settings - 'retention_days'
         ELSE settings || jsonb_build_object('retention_days', $2::int) END WHERE tenant_id = $1`,
      days,
    );
    this.days = days;
  }

  async retain(room: ModelRoom, days: number | null, isHeld: boolean): Promise<void> {
    const changes = { retention_days: days, legal_hold: isHeld };
    await this.bench.call(room, roomRetain, { p_room: room.roomId, p_changes: changes });
    [room.days, room.isHeld] = [days, isHeld];
  }

  async hold(user: User, isHeld: boolean): Promise<void> {
    await this.bench.call(this.room(0), userHold, { p_user: user, p_hold: isHeld });
    if (isHeld) this.heldUsers.add(user);
    else this.heldUsers.delete(user);
  }

  /** Moves where a room begins, and leaves the rows. */
  async cut(room: ModelRoom): Promise<void> {
    await this.bench.call(room, roomCut, { p_room: room.roomId });
    this.expectCut(room);
  }

  async pass(signal = new AbortController().signal): Promise<void> {
    while (!(await this.trimming.pass(this.tenantId, signal)));
  }

  /** What a whole pass is to have done. */
  expectPass(): void {
    for (const room of this.rooms) this.expectCut(room);
    const isHeld = (sender: User | undefined): boolean => sender !== undefined && this.heldUsers.has(sender);
    const covered = this.kept.filter(({ room, seq }) => room.isHeld || isHeld(room.messages[seq - 1]?.sender));
    this.kept.splice(0, this.kept.length, ...covered);
  }

  /** What is to be in the tables, once a pass is over. */
  expected(room: ModelRoom): StoredRoom {
    const { messages, firstSeq } = room;
    return {
      first_seq: firstSeq,
      last_seq: messages.length,
      messages: messages
        .map(({ content, isDeleted }, i) => ({ seq: i + 1, content, is_deleted: isDeleted }))
        .slice(firstSeq - 1),
      held: this.kept
        .filter((kept) => kept.room === room)
        .sort((a, b) => a.seq - b.seq)
        .map(({ content }) => content),
    };
  }

  async stored({ roomId }: RoomRef): Promise<StoredRoom> {
    const [row] = await this.sql<StoredRoom>(STORED, roomId);
    if (row === undefined) throw new Error('the room is gone');
    return row;
  }

  sql<R extends object>(text: string, ...values: unknown[]): Promise<R[]> {
    return this.bench.database.sql<R>(text, [this.tenantId, ...values]);
  }

  private keep(room: ModelRoom, seq: number, { sender, content }: ModelMessage): void {
    if (room.isHeld || this.heldUsers.has(sender)) this.kept.push({ room, seq, content });
  }

  private expectCut(room: ModelRoom): void {
    const days = room.days ?? this.days;
    if (room.isHeld || days === null) return;
    const { messages } = room;
    for (let at = room.firstSeq; ; at++) {
      const message = messages[at - 1];
      // A message of exactly so many days was written a moment more than that ago.
      if (message === undefined || message.age < days || this.heldUsers.has(message.sender)) {
        room.firstSeq = at;
        return;
      }
    }
  }
}

function refused(status: string): false {
  if (status !== 'no_message') throw new Error(`refused: ${status}`);
  return false;
}
