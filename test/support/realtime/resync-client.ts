import { encodeId } from '../../../src/common/ids';
import { AppError } from '../../../src/common/errors';
import type { Frame } from '../../../src/realtime';
import { errorFrame } from '../../../src/realtime/transport/rooms-endpoint';
import type { SyncService } from '../../../src/realtime/sync/sync-service';
import { ASKED, streamFaults } from '../convergence/stream-faults';
import { divergences, RoomView } from '../convergence/room-view';
import type { ServerFrame } from '../ws/client';
import type { FeedNode } from './feed-nodes';
import type { JsonLineConnection } from './json-line-connection';
import { messageIdOf, type ModelRoom } from './model-log';

/** Where a client is connected. */
export interface ResyncNode {
  readonly node: FeedNode;
  readonly service: SyncService;
}

/**
 * A client of one room on connections to a model of the server, which keeps what it has and asks for the rest, as
 * docs/protocol.md wants it.
 *
 * `manual`: it asks for everything itself. Else it is sent what its user has not acked, and asks for what else changed.
 */
export class ResyncClient {
  readonly faults: string[] = [];
  /** undefined: it is away. */
  connection: JsonLineConnection | undefined;
  readonly view: RoomView;
  private readonly roomId: string;
  private isOpening = false;
  /** It asks for a sync as soon as it is heard. */
  private isDue = false;
  private handled = 0;
  private stream: ServerFrame[] = [];
  /** A sync was asked for and is not answered. */
  private asked = false;

  constructor(
    readonly room: ModelRoom,
    readonly userId: string,
    readonly at: ResyncNode,
    readonly manual: boolean,
  ) {
    this.roomId = encodeId('room', room.roomId);
    this.view = new RoomView(new Map([...room.founders].map((user) => [user, 'member'])));
  }

  open(): void {
    if (this.connection !== undefined) return;
    const { node } = this.at;
    const { connection, opened } = this.manual ? node.open(this.userId) : node.openSyncing(this.userId);
    Object.assign(this, { connection, handled: 0, stream: [], asked: false, isOpening: true, isDue: false });
    this.view.isLive = false;
    void opened.then(() => {
      if (this.connection !== connection) return;
      // Whoever came in and was let out meanwhile may have been seated once more, later than that.
      if (this.manual) {
        this.take();
        this.judge();
        this.stream = [];
      }
      // Before it has its places nothing is read from it.
      this.isOpening = false;
      if (this.manual || this.isDue) this.sync();
    });
  }

  close(): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.pump();
    connection.close();
    this.connection = undefined;
    this.judge();
  }

  /** Takes what has come. */
  pump(): void {
    if (this.connection?.isSlow === false) this.take();
  }

  private take(): void {
    const frames = this.connection?.frames ?? [];
    for (; this.handled < frames.length; this.handled++) this.handle(this.framed(frames[this.handled] as Frame));
  }

  /** It reads nothing until it reads again. */
  stall(): void {
    if (this.connection !== undefined) this.connection.isSlow = true;
  }

  ack(): void {
    const { room, userId, view } = this;
    const before = room.acked.get(userId) ?? 0;
    if (room.members.has(userId)) room.acked.set(userId, Math.max(before, Math.min(view.seq, room.position.seq)));
  }

  /** What is wrong in the end. */
  verdict(): string[] {
    if (this.connection !== undefined) this.judge();
    const { room, userId, view, connection } = this;
    if (connection === undefined) return this.faults;
    if (!room.members.has(userId)) {
      const isSaid = ({ type, user_id }: ServerFrame): boolean =>
        type === 'error' || (type.startsWith('member.') && user_id === userId);
      const isTold = this.stream.findLast(isSaid)?.type !== 'member.joined';
      return isTold ? this.faults : [...this.faults, `${userId} was never told that they are out`];
    }
    const messages = room.messages.map(({ seq, rev }) => ({
      ...{ id: idOf(seq), rev, content: contentOf(rev), isDeleted: false },
    }));
    const roles = new Map([...room.members].map((user) => [user, 'member']));
    return [...this.faults, ...divergences(view, { messages, roles, reads: new Map() }, userId)];
  }

  private judge(): void {
    const faults = streamFaults(this.stream, this.userId, !this.manual);
    this.faults.push(...faults.map((fault) => `${this.userId}: ${fault}`));
  }

  private handle(frame: ServerFrame): void {
    if (frame.type === 'error') {
      if (this.asked) this.stream.push(frame);
      this.asked = false;
      if (frame['retryable'] === true) this.sync();
      return;
    }
    this.stream.push(frame);
    const { view } = this;
    // Nobody puts this log back.
    if (frame.type === 'sync.reset') this.faults.push(`${this.userId} was told that what they have never was`);
    if (frame.type === 'sync.complete') this.complete(frame);
    else if (frame.type === 'sync.truncated') this.fill(frame);
    else view.apply(frame);
    if (frame['user_id'] !== this.userId) return;
    if (frame.type === 'member.left') view.isLive = false;
    if (frame.type === 'member.joined' && !view.isLive) this.sync();
  }

  private complete(frame: ServerFrame): void {
    const last = Number(frame['last_seq']);
    if (frame['last_id'] !== (last > 0 ? idOf(last) : null))
      this.faults.push(`${this.userId} was told that message ${last} is ${String(frame['last_id'])}`);
    if (frame['request_id'] === undefined) {
      this.sync();
      return;
    }
    this.asked = false;
    this.view.isLive = true;
    this.view.rev = Math.max(this.view.rev, Number(frame['last_rev']));
  }

  /** What a sync left out is fetched, by members. */
  private fill({ after_seq, before_seq, after_rev, before_rev }: ServerFrame): void {
    const { room, view } = this;
    if (!room.members.has(this.userId)) return;
    for (const { seq, rev, isEdited } of room.messages)
      if (seq > Number(after_seq) && seq < Number(before_seq))
        view.apply(this.framed({ type: 'message', seq, rev, edited_at: isEdited ? 'then' : null }));
    for (const change of room.changes)
      if (change.rev > Number(after_rev) && change.rev < Number(before_rev) && change.type !== 'message')
        view.apply(this.framed({ ...change }));
  }

  private sync(): void {
    const { connection, view } = this;
    if (this.isOpening) this.isDue = true;
    if (connection?.isOpen !== true || this.isOpening || this.asked) return;
    this.asked = true;
    view.isLive = false;
    const named = view.lastId === undefined ? {} : { after_id: view.lastId };
    const positions = { room_id: this.roomId, after_seq: view.seq, ...named, after_rev: view.rev };
    this.stream.push({ type: ASKED, ...positions });
    this.at.service.one(connection, positions, 'asked').catch((error: unknown) => {
      if (error instanceof AppError) connection.sendFrame(line(errorFrame(error, 'asked')));
      else this.faults.push(String(error));
    });
  }

  /** A frame of the model as the real ones are. */
  private framed(frame: Frame): ServerFrame {
    const { type, rev, seq, of, user, edited_at } = frame;
    const isMessage = type.startsWith('message');
    return {
      ...frame,
      ...(isMessage
        ? { seq: of ?? seq, message_id: idOf(Number(of ?? seq)), content: contentOf(Number(rev)), deleted_at: null }
        : {}),
      ...(isMessage ? { edited_at: edited_at ?? (type === 'message' ? null : 'then') } : {}),
      ...(user === undefined ? {} : { user_id: user }),
      ...(type === 'member.joined' ? { role: 'member' } : {}),
    };
  }
}

const contentOf = (rev: number): string => `as of ${rev}`;
const idOf = (seq: number): string => encodeId('message', messageIdOf(seq));
const line = (frame: Frame): Buffer => Buffer.from(`${JSON.stringify(frame)}\n`);
