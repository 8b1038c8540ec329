/** A client of /ws: rooms that lack nothing, whatever happens to the connection. Names are those of @chatapi/client. */
import { Changes } from './changes';
import { Connection, type Recorder } from './connection';
import type { ClientFrame, Frame, ServerFrame } from './frames';
import type { Network } from './network';
import { Outbox } from './outbox';
import { Room } from './room';

export interface ChatClientOptions {
  /** Of the server: `https://…`. */
  readonly origin: string;
  readonly getToken: (isRenewal: boolean) => Promise<string>;
  readonly network: Network;
  readonly record: Recorder;
  /** What changes the list of rooms: memberships, settings, messages of rooms that are not followed, a new log. */
  readonly onNews: (frame: ServerFrame) => void;
  /** It is open again after a break: lists may be old. */
  readonly onReturn: () => void;
}

const ACK_MS = 100;
const TYPING_EVERY_MS = 3000;
const TYPING_ENDS_MS = 5000;
const SYNC_AGAIN_MS = 1000;
/** A `sync` names at most so many rooms. */
const MOST_ROOMS = 1000;
const SYNC = 'sync-';

export class ChatClient {
  readonly changes = new Changes();
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly online = new Set<string>();
  /** The last frame that was refused. */
  lastError: Frame<'error'> | undefined;
  private readonly rooms = new Map<string, Room>();
  private readonly toSync = new Set<string>();
  private epoch: number | undefined;
  private lookedAt: string | undefined;
  private acking: ReturnType<typeof setTimeout> | undefined;
  private typed:
    { readonly roomId: string; readonly at: number; readonly end: ReturnType<typeof setTimeout> } | undefined;
  private syncs = 0;
  private due: string[] = [];

  constructor(private readonly options: ChatClientOptions) {
    this.connection = new Connection({
      ...options,
      url: () => {
        const url = new URL('/ws?sync=manual', options.origin);
        url.protocol = url.protocol.replace('http', 'ws');
        return url;
      },
      onFrame: (frame) => this.handle(frame as unknown as ServerFrame),
      onLost: () => this.lost(),
    });
    this.outbox = new Outbox((frame) => this.connection.send(frame));
    this.connection.changes.subscribe(this.changes.tell);
    this.outbox.changes.subscribe(this.changes.tell);
  }

  room(roomId: string): Room | undefined {
    return this.rooms.get(roomId);
  }

  /** Keeps the room whole from here on. @param last where it ends as far as is known */
  follow(roomId: string, last: { readonly seq: number; readonly rev: number; readonly id?: string | undefined }): Room {
    const known = this.rooms.get(roomId);
    if (known !== undefined) return known;
    const room = new Room(roomId, last);
    this.rooms.set(roomId, room);
    this.syncSoon(roomId);
    return room;
  }

  forget(roomId: string): void {
    this.rooms.delete(roomId);
    this.synced(roomId);
  }

  /** It is on its way at once, and stays so until it is accepted or refused for good. */
  send(roomId: string, content: string): void {
    this.stopTyping();
    this.outbox.add(roomId, content);
  }

  /** The person looks at this room: what comes is read. */
  look(roomId: string | undefined): void {
    this.lookedAt = roomId;
    if (roomId !== undefined) this.ackSoon();
  }

  /** To be called with every key: tells the others at most every 3 s, and stops by itself. */
  typing(roomId: string): void {
    const { typed } = this;
    const now = Date.now();
    if (typed !== undefined && typed.roomId !== roomId) this.stopTyping();
    const isDue = typed === undefined || typed.roomId !== roomId || now - typed.at >= TYPING_EVERY_MS;
    if (isDue) this.frame({ type: 'typing.start', room_id: roomId });
    clearTimeout(typed?.end);
    this.typed = { roomId, at: isDue ? now : typed.at, end: setTimeout(() => this.stopTyping(), TYPING_ENDS_MS) };
  }

  stopTyping(): void {
    if (this.typed === undefined) return;
    clearTimeout(this.typed.end);
    this.frame({ type: 'typing.stop', room_id: this.typed.roomId });
    this.typed = undefined;
  }

  connect(): void {
    this.connection.connect();
  }

  close(): void {
    clearTimeout(this.acking);
    clearTimeout(this.typed?.end);
    this.connection.close();
  }

  private frame(frame: ClientFrame): void {
    this.connection.send(frame);
  }

  private handle(frame: ServerFrame): void {
    if (frame.type === 'hello') this.begin(frame);
    else if (frame.type === 'error') this.refused(frame);
    else if (frame.type === 'server.shutdown') this.connection.waitFor(frame.reconnect_after_ms);
    else if (frame.type === 'message.accepted') this.outbox.accepted(frame.request_id ?? '');
    else if (frame.type === 'presence.snapshot') this.sees(frame.user_ids);
    else if (frame.type === 'presence.update') this.sees([frame.user_id], frame.status === 'online');
    else if ('room_id' in frame) this.inRoom(frame);
    this.changes.tell();
  }

  private begin({ epoch }: Frame<'hello'>): void {
    const isOther = this.epoch !== undefined && this.epoch !== epoch;
    const isReturn = this.epoch !== undefined;
    this.epoch = epoch;
    this.online.clear();
    if (isOther) for (const { log } of this.rooms.values()) log.reset();
    this.connection.accepted(isOther ? 'recovering' : 'syncing');
    this.sync([...this.rooms.keys()]);
    this.outbox.open();
    if (isReturn) this.options.onReturn();
  }

  private sync(roomIds: readonly string[]): void {
    for (const roomId of roomIds) {
      this.toSync.add(roomId);
      this.rooms.get(roomId)?.log.syncing();
    }
    for (let from = 0; from < roomIds.length; from += MOST_ROOMS) {
      const rooms = roomIds
        .slice(from, from + MOST_ROOMS)
        .flatMap((roomId) => this.rooms.get(roomId)?.log.position() ?? []);
      this.frame({ type: 'sync', request_id: `${SYNC}${++this.syncs}`, rooms });
    }
    if (this.toSync.size === 0) this.connection.enter('live');
  }

  /** A page of rooms is one frame. Without a connection `hello` does it. */
  private syncSoon(roomId: string): void {
    this.due.push(roomId);
    if (this.due.length > 1) return;
    queueMicrotask(() => {
      const { due } = this;
      this.due = [];
      if (this.connection.isOpen) this.sync(due.filter((id) => !this.toSync.has(id)));
    });
  }

  private synced(roomId: string): void {
    this.toSync.delete(roomId);
    if (this.toSync.size === 0 && this.connection.isOpen) this.connection.enter('live');
  }

  private inRoom(frame: Exclude<ServerFrame, Frame<'error'>> & { readonly room_id: string }): void {
    const room = this.rooms.get(frame.room_id);
    if (room !== undefined) this.take(room, frame);
    if (room === undefined || !frame.type.startsWith('message')) this.options.onNews(frame);
  }

  private take(room: Room, frame: Exclude<ServerFrame, Frame<'error'>>): void {
    const { log } = room;
    room.news(frame);
    if (frame.type === 'message') this.message(room, frame);
    else if (frame.type === 'message.updated' || frame.type === 'message.deleted') log.change(frame);
    else if (frame.type === 'sync.truncated') log.truncated(frame);
    else if (frame.type === 'sync.reset') {
      log.reset(frame.first_seq);
      this.connection.enter('recovering');
    } else if (frame.type === 'room.trimmed') log.trimmed(frame.first_seq);
    else if (frame.type === 'sync.complete') this.complete(room, frame);
    else if ('rev' in frame) log.moved(frame.rev);
  }

  private message(room: Room, { type: _type, ...message }: Frame<'message'>): void {
    const taken = room.log.message(message);
    if (message.client_message_id !== null) this.outbox.accepted(message.client_message_id);
    if (taken === 'other') this.anew(room);
    else if (taken === 'gap') this.sync([room.roomId]);
    else if (taken === 'new') this.ackSoon();
  }

  private complete(room: Room, frame: Frame<'sync.complete'>): void {
    const outcome = room.log.complete(frame);
    if (outcome === 'other') this.anew(room);
    else if (!outcome) this.sync([room.roomId]);
    else this.synced(room.roomId);
    this.ackSoon();
  }

  private anew({ roomId, log }: Room): void {
    log.reset();
    this.connection.enter('recovering');
    this.sync([roomId]);
  }

  private refused(error: Frame<'error'>): void {
    this.lastError = error;
    this.connection.explain(error.message);
    const { request_id: id = '', room_id: roomId } = error;
    if (this.outbox.refused(error)) return;
    if (!id.startsWith(SYNC)) {
      if (error.retry_after_ms !== undefined) this.connection.waitFor(error.retry_after_ms);
      return;
    }
    // A room that is not there any more, for this person: its `member.left` or `room.deleted` was missed.
    if (roomId !== undefined) this.forget(roomId);
    else setTimeout(() => this.sync([...this.toSync]), error.retry_after_ms ?? SYNC_AGAIN_MS);
  }

  private sees(userIds: readonly string[], isOnline = true): void {
    for (const userId of userIds)
      if (isOnline) this.online.add(userId);
      else this.online.delete(userId);
  }

  private ackSoon(): void {
    this.acking ??= setTimeout(() => {
      this.acking = undefined;
      this.ack();
    }, ACK_MS);
  }

  private ack(): void {
    for (const { roomId, log, acked, read } of this.rooms.values()) {
      if (log.seq === 0 || !log.isLive) continue;
      if (roomId === this.lookedAt && read < log.seq) this.frame({ type: 'read', room_id: roomId, seq: log.seq });
      else if (acked < log.seq && log.messages.length > 0) this.frame({ type: 'ack', room_id: roomId, seq: log.seq });
    }
  }

  private lost(): void {
    this.outbox.lost();
    this.toSync.clear();
    this.online.clear();
    for (const room of this.rooms.values()) room.lost();
  }
}
