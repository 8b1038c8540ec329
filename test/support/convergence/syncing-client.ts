import { setTimeout as pause } from 'node:timers/promises';
import type { TestTenant } from '../app';
import { isNoAnswer } from '../catch-up-client';
import type { MemberBody } from '../rooms';
import { framesBetween, RoomView } from './room-view';
import { keyOf } from '../ws/socket-app';
import { type ServerFrame, WsClient } from '../ws/client';
import { ASKED, streamFaults } from './stream-faults';

export interface SyncingTarget {
  readonly url: string;
  readonly tenant: TestTenant;
  /** By room id, who made up the room at first, with their roles. */
  readonly rooms: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Before which message rooms may keep nothing any more, where they let messages expire. */
  readonly floors?: ReadonlyMap<string, number>;
}

/** What a client does about a log that was put back. */
export interface RestoreHandling {
  /** It drops what it has when `hello` brings another epoch. */
  readonly heedsEpoch: boolean;
  /** Its positions name their message, and it looks at the ids of what comes. */
  readonly namesMessages: boolean;
}

export interface AcceptedMessage {
  readonly roomId: string;
  readonly seq: number;
  readonly content: string;
}

const RETRY_MS = 20;

/**
 * A client as docs/protocol.md wants it, on connections that come and go: it keeps what it has of each room and its
 * positions, asks for the rest, and sends each message until it is accepted or refused for good.
 *
 * `manual`: it asks for everything itself. Else it is sent what its user has not acked, and asks for what else changed.
 */
export class SyncingClient {
  readonly views = new Map<string, RoomView>();
  readonly accepted: AcceptedMessage[] = [];
  readonly faults: string[] = [];
  connections = 0;
  /** What each connection was told of each room, once it is over. */
  readonly streams: ServerFrame[][] = [];
  private current = new Map<string, ServerFrame[]>();
  private client: WsClient | undefined;
  private isStopped = false;
  private away: Promise<void> = Promise.resolve();
  private running: Promise<void> = Promise.resolve();
  private readonly outbox = new Map<string, { readonly room_id: string; readonly content: string }>();
  /** Rooms for which a sync is under way on this connection. */
  private readonly asked = new Set<string>();
  private readonly filling = new Set<Promise<void>>();
  /** Rooms that were reset and whose members are to be listed. */
  private readonly unlisted = new Set<string>();
  private readonly listing = new Set<Promise<void>>();
  private sent = 0;
  private epoch: unknown;
  /** How often it dropped what it had of a room. */
  forgotten = 0;

  constructor(
    readonly world: SyncingTarget,
    readonly name: string,
    readonly userId: string,
    readonly manual: boolean,
    private readonly care: RestoreHandling = { heedsEpoch: true, namesMessages: true },
  ) {
    for (const [roomId, founders] of world.rooms) this.views.set(roomId, new RoomView(founders));
  }

  start(): this {
    this.running = this.live();
    return this;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.client?.ws.terminate();
    await this.running;
  }

  view(roomId: string): RoomView {
    const view = this.views.get(roomId);
    if (view === undefined) throw new Error(`${roomId} is no room of this world`);
    return view;
  }

  /** Nothing waits to be accepted, or to be synced. */
  get isIdle(): boolean {
    const { outbox, asked, filling, unlisted, listing, client } = this;
    return [outbox, asked, filling, unlisted, listing].every(({ size }) => size === 0) && client !== undefined;
  }

  send(roomId: string, content: string): void {
    const id = `${this.name}-${++this.sent}`;
    this.outbox.set(id, { room_id: roomId, content });
    this.resend(id);
  }

  /** Says how far the client, or the person, has got. */
  mark(type: 'ack' | 'read', roomId: string, seq = this.view(roomId).seq): void {
    if (seq > 0) this.tell({ type, room_id: roomId, seq });
  }

  /** Goes, and stays away until what this returns is called. */
  leave(): () => void {
    let comeBack = (): void => undefined;
    this.away = new Promise((resolve) => (comeBack = resolve));
    this.drop();
    return comeBack;
  }

  drop(): void {
    this.client?.ws.terminate();
  }

  /** Reads nothing for a while. */
  async stall(ms: number): Promise<void> {
    const { client } = this;
    client?.ws.pause();
    await pause(ms);
    client?.ws.resume();
  }

  private async live(): Promise<void> {
    while (!this.isStopped) {
      await this.away;
      const client = await this.connect().catch(() => undefined);
      if (client !== undefined) await this.follow(client);
      await pause(RETRY_MS);
    }
  }

  private connect(): Promise<WsClient> {
    const query = this.manual ? { sync: 'manual' } : '';
    return WsClient.connect(this.world.url, { headers: keyOf(this.world.tenant, this.userId), query });
  }

  /** Resolves when the connection is over. */
  private async follow(client: WsClient): Promise<void> {
    const streams = new Map<string, ServerFrame[]>();
    for (const view of this.views.values()) view.isLive = false;
    this.asked.clear();
    this.client = client;
    this.connections++;
    this.current = streams;
    let handled = 0;
    const handle = (): void => {
      for (; handled < client.frames.length; handled++) this.handle(client.frames[handled] as ServerFrame);
    };
    client.ws.on('message', handle);
    if (this.isStopped) client.ws.terminate();
    handle();
    await client.ended(3_600_000);
    handle();
    this.client = undefined;
    for (const [roomId, frames] of streams)
      this.faults.push(...this.streamFaults(frames, this.world.floors?.get(roomId)));
    this.streams.push(...streams.values());
  }

  /** What is wrong with the frames of one of its connections about a room. */
  streamFaults(frames: readonly ServerFrame[], floor?: number): string[] {
    return streamFaults(frames, this.userId, !this.manual, floor);
  }

  private note(roomId: string, frame: ServerFrame): void {
    const stream = this.current.get(roomId);
    if (stream) stream.push(frame);
    else this.current.set(roomId, [frame]);
  }

  private handle(frame: ServerFrame): void {
    const request = String(frame['request_id']);
    if (frame.type === 'hello') this.resume(frame['epoch']);
    else if (frame.type === 'message.accepted') this.settle(request, frame);
    else if (frame.type === 'error') this.refused(request, frame);
    else if (!frame.type.endsWith('.received') && typeof frame['room_id'] === 'string')
      this.about(frame['room_id'], frame);
  }

  private resume(epoch: unknown): void {
    const isOther = this.epoch !== undefined && this.epoch !== epoch;
    this.epoch = epoch;
    if (isOther && this.care.heedsEpoch) for (const roomId of this.views.keys()) this.forget(roomId);
    for (const id of this.outbox.keys()) this.resend(id);
    if (this.manual) for (const roomId of this.views.keys()) this.sync(roomId);
  }

  private about(roomId: string, frame: ServerFrame): void {
    const view = this.view(roomId);
    this.note(roomId, frame);
    if (frame['first_seq'] !== undefined) view.begin(Number(frame['first_seq']));
    if (this.isContradicted(view, frame)) this.startOver(roomId);
    if (frame.type === 'sync.complete') this.complete(roomId, view, frame);
    else if (frame.type === 'sync.reset') this.reset(roomId);
    else if (frame.type === 'sync.truncated') this.fill(roomId, view, frame);
    else view.apply(frame);
    if (frame['user_id'] !== this.userId) return;
    if (frame.type === 'member.left') view.isLive = false;
    if (frame.type === 'member.joined' && !view.isLive) this.sync(roomId);
  }

  /** Whether a frame shows that the client has what the log does not have. */
  private isContradicted(view: RoomView, frame: ServerFrame): boolean {
    if (!this.care.namesMessages) return false;
    if (frame.type === 'message') return view.contradicts(Number(frame['seq']), frame['message_id']);
    if (frame.type !== 'sync.complete') return false;
    const last = Number(frame['last_seq']);
    return view.seq > last || view.contradicts(last, frame['last_id']);
  }

  private startOver(roomId: string): void {
    this.forget(roomId);
    this.sync(roomId);
  }

  private forget(roomId: string): void {
    this.forgotten++;
    this.view(roomId).forget();
  }

  private complete(roomId: string, view: RoomView, frame: ServerFrame): void {
    if (frame['request_id'] !== roomId) {
      this.sync(roomId);
      return;
    }
    this.asked.delete(roomId);
    view.isLive = true;
    if (this.unlisted.has(roomId)) this.list(roomId, Number(frame['last_rev']));
    if (this.filling.size > 0) return;
    view.rev = Math.max(view.rev, Number(frame['last_rev']));
    // What it had was dropped meanwhile.
    if (view.seq < Number(frame['last_seq'])) this.sync(roomId);
  }

  /** Who the members are is not told again: they are listed once the room is live. */
  private reset(roomId: string): void {
    this.forget(roomId);
    this.unlisted.add(roomId);
  }

  /** Whoever is no member any more is refused, and asks again when they are back. */
  private list(roomId: string, rev: number): void {
    const api = this.world.tenant.as(this.userId);
    const listing = api
      .get<MemberBody[]>(`/rooms/${roomId}/members?limit=100`)
      .then(({ status, body }) => {
        if (status !== 200) {
          setTimeout(() => this.view(roomId).isLive && this.list(roomId, rev), RETRY_MS);
          return;
        }
        this.unlisted.delete(roomId);
        this.view(roomId).learn(rev, new Map(body.map(({ user_id, role }) => [user_id, role])));
      })
      .catch((error: unknown) => {
        if (isNoAnswer(error)) setTimeout(() => this.list(roomId, rev), RETRY_MS);
        else this.faults.push(String(error));
      })
      .then(() => void this.listing.delete(listing));
    this.listing.add(listing);
  }

  /** What a sync left out is fetched. */
  private fill(roomId: string, view: RoomView, { after_seq, before_seq, after_rev, before_rev }: ServerFrame): void {
    const api = this.world.tenant.as(this.userId);
    const filling = framesBetween(api, roomId, Number(after_seq), Number(before_seq), after_rev, before_rev)
      .then((frames) => frames.forEach((frame) => view.apply(frame)))
      .catch((error: unknown) => {
        // The server went; of several another one answers.
        if (isNoAnswer(error)) setTimeout(() => this.sync(roomId), RETRY_MS);
        // Who was let out meanwhile is refused, and asks again when they are back.
        else if (!String(error).includes('AUTHORIZATION_ERROR')) this.faults.push(String(error));
      })
      .then(() => void this.filling.delete(filling));
    this.filling.add(filling);
  }

  private sync(roomId: string): void {
    if (this.asked.has(roomId)) return;
    this.asked.add(roomId);
    const view = this.view(roomId);
    view.isLive = false;
    const named = this.care.namesMessages && view.lastId !== undefined ? { after_id: view.lastId } : {};
    const positions = { room_id: roomId, after_seq: view.seq, ...named, after_rev: view.rev };
    this.note(roomId, { type: ASKED, ...positions });
    this.tell({ type: 'sync', request_id: roomId, ...positions });
  }

  private settle(id: string, frame: ServerFrame): void {
    const { room_id, content } = this.outbox.get(id) ?? { room_id: '', content: '' };
    if (this.outbox.delete(id)) this.accepted.push({ roomId: room_id, seq: Number(frame['seq']), content });
  }

  private refused(request: string, frame: ServerFrame): void {
    const wasSync = this.asked.delete(request);
    if (wasSync) this.note(request, frame);
    if (frame['retryable'] !== true) this.outbox.delete(request);
    // A client's own pace: nothing tells it when the server can do again what it could not.
    else setTimeout(() => (wasSync ? this.sync(request) : this.resend(request)), RETRY_MS);
    const { code } = frame;
    if (code !== 'AUTHORIZATION_ERROR' && code !== 'SERVICE_UNAVAILABLE') this.faults.push(JSON.stringify(frame));
  }

  private resend(id: string): void {
    const message = this.outbox.get(id);
    if (message) this.tell({ type: 'send_message', request_id: id, client_message_id: id, ...message });
  }

  private tell(frame: object): void {
    if (this.client?.isOpen) this.client.send(frame);
  }
}
