/** The rooms of one person: the list, who is in them, and what is done to them over REST. */
import { type Api, bodyOf, type components } from '../../api/client';
import { type ChatClient, Changes, type ServerFrame } from '../../socket';

type ListedRoom = components['schemas']['ListedRoomDto'];
export type Member = components['schemas']['MemberDto'];
export type NewRoom = components['schemas']['CreateRoomDto'];

export interface RoomEntry {
  readonly roomId: string;
  readonly kind: 'dm' | 'group' | 'channel' | 'ai';
  readonly name: string;
}

const PAGE = 50;
const MOST_MEMBERS = 100;

export class Rooms {
  readonly changes = new Changes();
  entries: readonly RoomEntry[] = [];
  /** Channels of the tenant that the person is not in. */
  joinable: readonly RoomEntry[] = [];
  hasMore = false;
  isLoaded = false;
  private readonly memberLists = new Map<string, readonly Member[]>();

  constructor(
    private readonly userId: string,
    private readonly api: Api,
    private readonly client: ChatClient,
  ) {}

  get shown(): readonly RoomEntry[] {
    return this.entries.filter(({ kind }) => kind !== 'ai');
  }

  members(roomId: string): readonly Member[] {
    return this.memberLists.get(roomId) ?? [];
  }

  entry(roomId: string): RoomEntry | undefined {
    return this.entries.find((entry) => entry.roomId === roomId);
  }

  unread(roomId: string): number {
    const room = this.client.room(roomId);
    return room === undefined ? 0 : Math.max(0, room.log.seq - room.read);
  }

  async load(): Promise<void> {
    const query = { limit: PAGE, offset: 0 };
    const [mine, others] = await Promise.all([
      bodyOf(this.api.GET('/rooms', { params: { query } })),
      bodyOf(this.api.GET('/rooms', { params: { query: { ...query, scope: 'joinable' } } })),
    ]);
    const known = new Map(this.entries.map((entry) => [entry.roomId, entry]));
    for (const room of mine.rooms) known.set(room.room_id, this.taken(room));
    this.entries = [...known.values()];
    this.joinable = others.rooms.map((room) => this.entryOf(room));
    this.hasMore = mine.has_more;
    this.isLoaded = true;
    this.changes.tell();
  }

  async more(): Promise<void> {
    const query = { limit: PAGE, offset: this.entries.length };
    const page = await bodyOf(this.api.GET('/rooms', { params: { query } }));
    const fresh = page.rooms.filter(({ room_id }) => this.entry(room_id) === undefined);
    this.entries = [...this.entries, ...fresh.map((room) => this.taken(room))];
    this.hasMore = page.has_more && fresh.length > 0;
    this.changes.tell();
  }

  /** @returns the id of the room; of a dm that there is already, of that one */
  async create(body: NewRoom): Promise<string> {
    try {
      const room = await bodyOf(this.api.POST('/rooms', { body }));
      this.add(room);
      return room.room_id;
    } catch (fault) {
      const there = existing(fault);
      if (there === undefined) throw fault;
      if (this.entry(there) === undefined) await this.fetch(there);
      return there;
    }
  }

  async join(roomId: string): Promise<void> {
    await bodyOf(this.api.POST('/rooms/{room_id}/join', { params: { path: { room_id: roomId } } }));
    await this.fetch(roomId);
  }

  /** Fetches who is in the room, and the newest of its messages where none are there. */
  async open(roomId: string): Promise<void> {
    const log = this.client.room(roomId)?.log;
    await Promise.all([
      this.fetchMembers(roomId),
      log !== undefined && log.hasEarlier && log.messages.length < PAGE ? this.earlier(roomId) : undefined,
    ]);
  }

  async earlier(roomId: string): Promise<void> {
    const log = this.client.room(roomId)?.log;
    if (log === undefined) return;
    const query = { before_seq: log.oldestSeq, limit: PAGE, order: 'desc' } as const;
    const page = await bodyOf(
      this.api.GET('/rooms/{room_id}/messages', { params: { path: { room_id: roomId }, query } }),
    );
    log.earlier([...page].sort((a, b) => a.seq - b.seq));
    this.changes.tell();
  }

  async edit(roomId: string, messageId: string, content: string): Promise<void> {
    const path = { room_id: roomId, message_id: messageId };
    await bodyOf(this.api.PATCH('/rooms/{room_id}/messages/{message_id}', { params: { path }, body: { content } }));
  }

  async remove(roomId: string, messageId: string): Promise<void> {
    const path = { room_id: roomId, message_id: messageId };
    await bodyOf(this.api.DELETE('/rooms/{room_id}/messages/{message_id}', { params: { path } }));
  }

  /** What the socket says of rooms. */
  async news(frame: ServerFrame): Promise<void> {
    if (!('room_id' in frame) || frame.room_id === undefined) return;
    const { room_id: roomId } = frame;
    const isKnown = this.entry(roomId) !== undefined;
    const isMine = 'user_id' in frame && frame.user_id === this.userId;
    if (frame.type === 'room.deleted' || (frame.type === 'member.left' && isMine)) this.drop(roomId);
    else if (frame.type === 'room.updated') this.rename(roomId, frame.name);
    else if (!isKnown && (frame.type === 'message' || frame.type === 'member.joined')) await this.fetch(roomId);
    else if (frame.type.startsWith('member.') && this.memberLists.has(roomId)) await this.fetchMembers(roomId);
  }

  private async fetch(roomId: string): Promise<void> {
    this.add(await bodyOf(this.api.GET('/rooms/{room_id}', { params: { path: { room_id: roomId } } })));
  }

  private async fetchMembers(roomId: string): Promise<void> {
    const params = { path: { room_id: roomId }, query: { limit: MOST_MEMBERS } };
    this.memberLists.set(roomId, await bodyOf(this.api.GET('/rooms/{room_id}/members', { params })));
    this.changes.tell();
  }

  private add(room: ListedRoom): void {
    const entry = this.taken(room);
    this.entries = [entry, ...this.entries.filter(({ roomId }) => roomId !== entry.roomId)];
    this.joinable = this.joinable.filter(({ roomId }) => roomId !== entry.roomId);
    this.changes.tell();
  }

  private drop(roomId: string): void {
    this.client.forget(roomId);
    this.memberLists.delete(roomId);
    this.entries = this.entries.filter((entry) => entry.roomId !== roomId);
    this.changes.tell();
  }

  private rename(roomId: string, name: string | null): void {
    this.entries = this.entries.map((entry) => (entry.roomId === roomId && name !== null ? { ...entry, name } : entry));
    this.changes.tell();
  }

  private taken(room: ListedRoom): RoomEntry {
    const { room_id: roomId, last_seq: seq, last_rev: rev, last_message: last } = room;
    const followed = this.client.follow(roomId, { seq, rev, id: last?.message_id });
    followed.acked = Math.max(followed.acked, room.last_acked_seq ?? 0);
    followed.read = Math.max(followed.read, room.last_read_seq ?? 0);
    return this.entryOf(room);
  }

  private entryOf({ room_id: roomId, type: kind, name, unique_key: key }: ListedRoom): RoomEntry {
    return { roomId, kind, name: name ?? (key === null ? kind : this.otherOf(key)) };
  }

  /** A dm has the name of the other one, which its key holds: dm:alice:bob. */
  private otherOf(key: string): string {
    const pair = key.replace(/^dm:/, '');
    return pair.startsWith(`${this.userId}:`)
      ? pair.slice(this.userId.length + 1)
      : pair.slice(0, pair.length - this.userId.length - 1);
  }
}

function existing(fault: unknown): string | undefined {
  if (typeof fault !== 'object' || fault === null || !('details' in fault)) return undefined;
  const { room_id: roomId } = fault.details as { readonly room_id?: unknown };
  return typeof roomId === 'string' ? roomId : undefined;
}
