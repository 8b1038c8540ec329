import { unavailable } from '../../../src/common/errors';
import { mergeLog, missedPage } from '../../../src/modules/messages/room-log/merge';
import type { LogRow, MissedRow } from '../../../src/modules/messages/room-log/room-log.repository';
import { type MessageRow, messageText } from '../../../src/modules/messages/views';
import {
  type Claim,
  type ClaimedPosition,
  type CursorPosition,
  type Entrance,
  type Neighbours,
  type MissedPage,
  type MissedPart,
  type PageLimits,
  type Position,
  type RecentMessage,
  type RoomEvent,
  RoomLog,
  type RoomPosition,
  RoomPositions,
} from '../../../src/realtime';

/** One change as the log has it; `seq` of messages. */
export interface Change {
  readonly rev: number;
  readonly type: string;
  readonly seq?: number;
  readonly user?: string;
  /** Of an edit: the message's seq. */
  readonly of?: number;
}

interface ModelMessage {
  readonly seq: number;
  rev: number;
  isEdited: boolean;
}

/** A room whose every change is remembered as it happened, which a real log is not. */
export class ModelRoom {
  readonly changes: Change[] = [];
  readonly messages: ModelMessage[] = [];
  readonly members = new Set<string>();
  readonly founders: ReadonlySet<string>;
  /** How far users have acknowledged; the others since they joined. */
  readonly acked = new Map<string, number>();
  /** Whether who is no member may listen. */
  isChannel = true;
  private isDeleted = false;

  constructor(
    readonly roomId: string,
    founders: readonly string[],
  ) {
    this.founders = new Set(founders);
    for (const user of founders) this.members.add(user);
  }

  get position(): Position {
    return { rev: this.changes.length, seq: this.messages.length };
  }

  get deleted(): boolean {
    return this.isDeleted;
  }

  message(): Change {
    const change = this.add({ type: 'message', seq: this.messages.length + 1 });
    this.messages.push({ seq: this.messages.length + 1, rev: change.rev, isEdited: false });
    return change;
  }

  edit(nth: number): Change | undefined {
    const message = this.messages[nth % Math.max(1, this.messages.length)];
    if (message === undefined) return undefined;
    const change = this.add({ type: 'message.updated' }, message.seq);
    message.rev = change.rev;
    message.isEdited = true;
    return change;
  }

  join(user: string): Change | undefined {
    if (this.members.has(user)) return undefined;
    this.members.add(user);
    this.acked.set(user, this.messages.length);
    return this.add({ type: 'member.joined', user });
  }

  leave(user: string): Change | undefined {
    if (!this.members.delete(user)) return undefined;
    return this.add({ type: 'member.left', user });
  }

  delete(): Change {
    this.isDeleted = true;
    return this.add({ type: 'room.deleted' });
  }

  private add(change: Omit<Change, 'rev'>, of?: number): Change {
    const full = { ...change, rev: this.changes.length + 1, ...(of === undefined ? {} : { of }) };
    this.changes.push(full);
    return full;
  }
}

/** The event of a change, as services publish it. */
export function eventOf(tenantId: string, roomId: string, change: Change): RoomEvent {
  const { rev, type, seq, user, of } = change;
  return {
    tenantId,
    roomId,
    rev,
    frame: () => ({ ...change }),
    ...(seq === undefined ? {} : { seq, messageId: messageIdOf(seq) }),
    ...(of === undefined ? {} : { changedSeq: of }),
    ...(type === 'member.joined' && user !== undefined ? { joins: user } : {}),
    ...(type === 'member.left' && user !== undefined ? { leaves: user } : {}),
    ...(type === 'room.deleted' ? { ends: true } : {}),
  };
}

/** A question that waits for its answer. */
export interface ModelCall {
  readonly name: string;
  /** It sees what the database holds now, however late its answer arrives. */
  readonly see: () => void;
  /** Its answer arrives: what it has seen, else what the database holds now. */
  readonly go: () => void;
  readonly fail: () => void;
}

/** A database that answers when the test lets it: the log and the positions of one tenant's rooms. */
export class ModelDatabase {
  readonly rooms = new Map<string, ModelRoom>();
  /** Calls that were made and wait. */
  readonly calls: ModelCall[] = [];
  /** Whether calls are answered at once. */
  isPatient = false;
  reads = 0;
  /** The names of all calls, in order. */
  asked: string[] = [];

  constructor(
    readonly tenantId: string,
    private readonly pageLimit = 100,
  ) {}

  readonly log: RoomLog = new (class extends RoomLog {
    constructor(private readonly database: ModelDatabase) {
      super();
    }

    after(_: string, roomId: string, position: Position, limit: number) {
      return this.database.call('after', () => this.database.after(roomId, position, limit));
    }

    missed(_: string, userId: string, parts: readonly MissedPart[], limits: PageLimits) {
      return this.database.call('missed', () =>
        parts.map((part) => this.database.missed(userId, part, this.database.cut(limits))),
      );
    }

    messages(_: string, roomId: string, { afterSeq, throughSeq }: { afterSeq: number; throughSeq: number }) {
      return this.database.call('messages', () => this.database.range(roomId, afterSeq, throughSeq));
    }

    opening(_: string, roomId: string, { named }: { readonly marks: boolean; readonly named: number | undefined }) {
      return this.database.call('opening', () => {
        const isThere = this.database.rooms.get(roomId)?.messages.some(({ seq }) => seq === named);
        return { marks: [], namedId: isThere === true && named !== undefined ? messageIdOf(named) : undefined };
      });
    }

    heads(rooms: readonly { readonly tenantId: string; readonly roomId: string }[]) {
      return this.database.call('heads', () =>
        rooms.flatMap(({ tenantId, roomId }) => {
          const room = this.database.rooms.get(roomId);
          return room === undefined ? [] : [{ tenantId, roomId, rev: room.position.rev }];
        }),
      );
    }
  })(this);

  readonly positions: RoomPositions = new (class extends RoomPositions {
    constructor(private readonly database: ModelDatabase) {
      super();
    }

    positionsOf(_: string, userId: string): Promise<readonly CursorPosition[]> {
      return this.database.call('positionsOf', () =>
        [...this.database.rooms.values()]
          .filter((room) => room.members.has(userId) && !room.deleted)
          .map((room) => ({ ...positionOf(room), ackedSeq: room.acked.get(userId) ?? 0 })),
      );
    }

    roomsOf(_: string, userIds: readonly string[]): Promise<readonly (readonly string[])[]> {
      if (userIds.length > 500) throw new Error(`asked about ${userIds.length} users at once`);
      return this.database.call('roomsOf', () => userIds.map((userId) => this.database.roomsOf(userId)));
    }

    findPositions(_: string, claims: readonly Claim[], userId: string) {
      return this.database.call('findAll', () => claims.map((claim) => this.database.claimed(claim, userId)));
    }

    findPosition(_: string, roomId: string, userId: string): Promise<RoomPosition | 'no_room' | 'not_allowed'> {
      return this.database.call('find', () => this.database.find(roomId, userId));
    }

    entrances(_: string, roomId: string, userIds: readonly string[]): Promise<readonly Entrance[]> {
      return this.database.call('entrances', () => this.database.entrances(roomId, userIds));
    }

    neighbours(): Promise<Neighbours> {
      return Promise.resolve({ rooms: [], later: [] });
    }
  })(this);

  room(roomId: string, founders: readonly string[] = []): ModelRoom {
    const room = new ModelRoom(roomId, founders);
    this.rooms.set(roomId, room);
    return room;
  }

  /** Answers all calls that wait now, with what the database holds now. */
  async answer(): Promise<number> {
    const due = this.calls.splice(0);
    for (const { go } of due) go();
    await turns();
    return due.length;
  }

  /** Answers until nobody asks any more. */
  async settle(): Promise<void> {
    await turns();
    while ((await this.answer()) > 0) await turns();
  }

  private call<T>(name: string, ask: () => T): Promise<T> {
    this.reads++;
    this.asked.push(name);
    if (!this.isPatient) return Promise.resolve().then(ask);
    return new Promise((resolve, reject) => {
      let seen: { readonly answer: T } | undefined;
      const see = (): { readonly answer: T } => (seen ??= { answer: ask() });
      const call = { name, see: () => void see(), go: () => resolve(see().answer) };
      this.calls.push({ ...call, fail: () => reject(unavailable('away')) });
    });
  }

  private roomsOf(userId: string): string[] {
    return [...this.rooms.values()]
      .filter((room) => room.members.has(userId) && !room.deleted)
      .map(({ roomId }) => roomId);
  }

  private find(roomId: string, userId: string): RoomPosition | 'no_room' | 'not_allowed' {
    const room = this.rooms.get(roomId);
    if (room === undefined || room.deleted) return 'no_room';
    if (room.members.has(userId)) return positionOf(room);
    return room.isChannel ? { ...positionOf(room), isListener: true } : 'not_allowed';
  }

  private claimed({ roomId, seq }: Claim, userId: string): ClaimedPosition | 'no_room' | 'not_allowed' {
    const roomPosition = this.find(roomId, userId);
    const isThere = seq !== undefined && this.rooms.get(roomId)?.messages.some((message) => message.seq === seq);
    return typeof roomPosition === 'string'
      ? roomPosition
      : { ...roomPosition, firstRev: 0, messageId: isThere ? messageIdOf(seq) : undefined };
  }

  private cut(limits: PageLimits): PageLimits {
    const { messages, changes } = limits;
    return { ...limits, messages: Math.min(messages, this.pageLimit), changes: Math.min(changes, this.pageLimit) };
  }

  private missed(userId: string, part: MissedPart, limits: PageLimits): MissedPage {
    const room = this.rooms.get(part.roomId);
    const rows = room === undefined || room.deleted ? [] : missedRows(room, userId, part, limits);
    return missedPage(this.tenantId, part, rows, limits);
  }

  /** Messages as they are now, of whom it is not asked who sees them. */
  private range(roomId: string, afterSeq: number, throughSeq: number): RecentMessage[] {
    const found = this.rooms.get(roomId)?.messages.filter(({ seq }) => seq > afterSeq && seq <= throughSeq) ?? [];
    return found.slice(0, this.pageLimit).map((message) => {
      const { seq, rev } = message;
      return { seq, rev, messageId: messageIdOf(seq), text: messageText(bodyOf(roomId, message)) };
    });
  }

  private after(roomId: string, position: Position, limit: number) {
    const room = this.rooms.get(roomId);
    const size = Math.min(limit, this.pageLimit);
    const page = mergeLog(position, room === undefined ? [] : rowsAfter(room, position, size), size);
    return {
      events: page.rows.map((row) => {
        const event = eventOf(this.tenantId, roomId, row.payload as unknown as Change);
        if (row.kind !== 'new') return event;
        return { ...event, again: () => ({ rev: row.rev, type: 'message.updated', of: row.seq }) };
      }),
      more: page.more,
      position: page.position,
    };
  }

  private entrances(roomId: string, userIds: readonly string[]): Entrance[] {
    const room = this.rooms.get(roomId);
    if (room === undefined || room.deleted) return [];
    return userIds
      .filter((userId) => room.members.has(userId))
      .map((userId) => {
        const joined = room.changes.findLast((c) => c.type === 'member.joined' && c.user === userId);
        if (joined === undefined) return { userId, role: 'member', position: { rev: 0, seq: 0 }, foundedBy: 'founder' };
        const seq = room.changes.filter((c) => c.type === 'message' && c.rev < joined.rev).length;
        return { userId, role: 'member', position: { rev: joined.rev - 1, seq } };
      });
  }
}

/** Everything that can go on without the database has gone on; also what waits for the end of the turn. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

function positionOf(room: ModelRoom): RoomPosition {
  const { rev, seq } = room.position;
  return { roomId: room.roomId, firstSeq: 1, lastRev: rev, lastSeq: seq, memberCount: room.members.size };
}

/** UUID of the message with this seq, in every room. */
export function messageIdOf(seq: number): string {
  return `0190cccc-0000-7000-8000-${String(seq).padStart(12, '0')}`;
}

function editedAt({ isEdited }: ModelMessage): Date | null {
  return isEdited ? new Date(0) : null;
}

/** What the statement of the messages module returns. */
function rowsAfter(room: ModelRoom, { rev, seq }: Position, limit: number): LogRow[] {
  const row = (kind: LogRow['kind'], at: number, of: number | null, payload: object | null): LogRow => ({
    kind,
    rev: at,
    seq: of,
    type: null,
    payload: payload as Record<string, unknown> | null,
  });
  const byRev = [...room.messages].sort((a, b) => a.rev - b.rev);
  return [
    ...room.messages
      .filter((m) => m.seq > seq && m.seq <= seq + limit)
      .map((m) => row('new', m.rev, m.seq, { rev: m.rev, type: 'message', seq: m.seq, edited_at: editedAt(m) })),
    ...byRev
      .filter((m) => m.seq > seq + limit)
      .slice(0, 1)
      .map((m) => row('beyond', m.rev, null, null)),
    ...byRev
      .filter((m) => m.rev > rev && m.seq <= seq)
      .slice(0, limit + 1)
      .map((m) => row('changed', m.rev, m.seq, { rev: m.rev, type: 'message.updated', of: m.seq })),
    ...room.changes
      .filter((c) => c.rev > rev && !c.type.startsWith('message'))
      .slice(0, limit + 1)
      .map((c) => row('event', c.rev, null, c)),
  ];
}

/** A message as its row is. */
function bodyOf(roomId: string, message: ModelMessage): MessageRow {
  const { seq, rev } = message;
  const ids = { message_id: messageIdOf(seq), room_id: roomId, client_message_id: null };
  const body = { sender_id: 'ann', content: '', meta: null };
  const times = { created_at: new Date(0), edited_at: editedAt(message), deleted_at: null };
  return { seq, rev, ...ids, ...body, ...times };
}

/** What the statement of sync returns. */
function missedRows(room: ModelRoom, userId: string, part: MissedPart, limits: PageLimits): MissedRow[] {
  const isSeen = room.isChannel || room.members.has(userId);
  const seen = { n: 1, allowed: isSeen, role: room.members.has(userId) ? 'member' : null, first_seq: 1, first_rev: 0 };
  const message = (kind: 'new' | 'changed', each: ModelMessage): MissedRow => ({
    ...seen,
    kind,
    ...bodyOf(room.roomId, each),
  });
  const isChange = (rev: number): boolean => rev > part.afterRev && rev <= part.throughRev;
  if (!isSeen) return [{ ...seen, kind: null }];
  return [
    { ...seen, kind: null },
    ...room.messages
      .filter(({ seq }) => seq === part.named)
      .map(({ seq }): MissedRow => ({ ...seen, kind: 'named', message_id: messageIdOf(seq) })),
    ...room.messages
      .filter(({ seq }) => seq > part.afterSeq && seq <= part.throughSeq)
      .slice(0, limits.messages)
      .map((each) => message('new', each)),
    ...room.messages
      .filter(({ seq, rev }) => seq <= part.changedThroughSeq && isChange(rev))
      .sort((a, b) => a.rev - b.rev)
      .slice(0, limits.changes)
      .map((each) => message('changed', each)),
    ...room.changes
      .filter(({ rev, type }) => !type.startsWith('message') && isChange(rev))
      .slice(0, limits.changes)
      .map(({ rev, type, user }): MissedRow => ({ ...seen, kind: 'event', rev, type, payload: { user } })),
  ];
}
