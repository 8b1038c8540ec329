import type { Connection, Position } from '../../../src/realtime';
import { RoomChange } from '../../../src/realtime/feed/order';
import { type ChannelSite, type LogPage, RoomChannel } from '../../../src/realtime/feed/room-channel';
import { type StreamMark, streamFaultsOf } from './channel-stream';
import { JsonLineBatches, JsonLineConnection } from './json-line-connection';
import { eventOf, type ModelRoom, turns } from './model-log';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const MESSAGE = '0190cccc-0000-7000-8000-000000000001';
const REORDERED_MS = 60;
/** More than MAX_EXPECTING of follower.ts. */
const FLOOD = 101;

/** A page of the log that was asked for: what it holds is seen at one time, and arrives at another. */
interface Read {
  readonly see: () => void;
  readonly answer: () => void;
}

/**
 * A channel between a room whose changes are told late, twice, in any order or not at all, a log whose pages come when
 * the test wants, and connections that come, lag, sync and go. What is done to a connection stands in its stream of
 * frames, at its place.
 */
export class ChannelSimulator implements ChannelSite {
  readonly batches = new JsonLineBatches();
  readonly channel: RoomChannel;
  readonly connections: readonly JsonLineConnection[];
  /** How often the channel said that it was over. */
  endings = 0;
  private readonly reads: Read[] = [];
  private readonly muted = new Set<Connection>();
  private readonly targets = new Map<Connection, Position>();
  /** How often each release came to its end. */
  private readonly arrivals: { ends: number }[] = [];
  /** Keeps the channel alive: its sync never begins. */
  private readonly keeper = new JsonLineConnection(TENANT, 'keeper');
  private pieces = 0;
  private told = 0;

  constructor(
    private readonly room: ModelRoom,
    users: readonly string[],
    /** Changes of a page of the log. */
    private readonly page: number,
  ) {
    this.connections = users.map((user) => new JsonLineConnection(TENANT, user));
    this.channel = new RoomChannel(TENANT, room.roomId, room.position, this);
    this.channel.keep(this.keeper, room.position, true, 0);
  }

  read(_tenant: string, _room: string, { rev }: Position, isWanted: () => boolean): Promise<LogPage | undefined> {
    return new Promise((resolve) => {
      let seen: LogPage | undefined;
      const see = (): LogPage => (seen ??= this.pageAfter(rev));
      this.reads.push({ see, answer: () => resolve(isWanted() ? see() : undefined) });
    });
  }

  connectionsOf(_: RoomChannel, userId: string): Connection[] {
    return this.connections.filter((connection) => connection.userId === userId && !this.muted.has(connection));
  }

  entered(): void {
    return;
  }

  left(_: RoomChannel, connection: Connection): void {
    this.targets.delete(connection);
    this.mark(connection, { type: '> left' });
  }

  emptied(): void {
    this.endings++;
  }

  delivered(): void {
    return;
  }

  cached(): void {
    return;
  }

  /** Tells the channel of the change with this revision; each time it is another object, as hints are. */
  tell(rev: number): void {
    const change = this.room.changes[rev - 1];
    if (change === undefined) return;
    this.told = Math.max(this.told, rev);
    this.channel.receive(RoomChange.of(eventOf(TENANT, this.room.roomId, change)));
  }

  /** The next change that it was not told of, or one so far behind that. */
  tellNext(skipped: number): void {
    this.tell(this.told + 1 + skipped);
  }

  /** More messages than a channel keeps for a connection that syncs, each told. */
  flood(): void {
    for (let n = 0; n < FLOOD; n++) this.tell(this.room.message().rev);
  }

  see(nth: number): void {
    this.reads[nth % Math.max(1, this.reads.length)]?.see();
  }

  /** All pages that were asked for arrive in one turn. */
  answerAll(): void {
    for (const { answer } of this.reads.splice(0)) answer();
  }

  answer(nth: number): void {
    this.reads.splice(nth % Math.max(1, this.reads.length), 1)[0]?.answer();
  }

  /** Subscribes as of an earlier revision, which is what a late answer of the database says. */
  enter(connection: JsonLineConnection, ago: number): void {
    const at = this.positionAt(this.room.position.rev - ago);
    this.muted.delete(connection);
    this.place(connection, '> enters', at, () => this.channel.enter(connection, at, this.sits(connection, at.rev)));
  }

  /** Comes in right before its user's newest joining, which the channel has passed. */
  admit(connection: JsonLineConnection): void {
    const joined = this.room.changes.findLast(
      ({ type, user }) => type === 'member.joined' && user === connection.userId,
    );
    if (joined === undefined || this.muted.has(connection) || this.channel.position.rev < joined.rev) return;
    const at = this.positionAt(joined.rev - 1);
    this.place(connection, '> is to join', at, () => this.channel.enter(connection, at, true, false));
  }

  keep(connection: JsonLineConnection, ago: number): void {
    const at = this.positionAt(this.room.position.rev - ago);
    if (!this.sits(connection, at.rev)) return;
    this.muted.delete(connection);
    this.place(connection, '> is kept', at, () => this.channel.keep(connection, at, true, at.seq));
  }

  hold(connection: JsonLineConnection): void {
    const target = this.channel.hold(connection);
    if (target === undefined) return;
    this.targets.set(connection, target.upTo);
    this.mark(connection, { type: '> is held', rev: target.has.rev });
  }

  /** Its sync has sent all up to where it was to; or its page says that the user does not sit there. */
  release(connection: JsonLineConnection): void {
    const upTo = this.targets.get(connection);
    if (upTo === undefined || !this.channel.isHeld(connection)) return;
    this.targets.delete(connection);
    if (!this.room.members.has(connection.userId)) {
      this.mark(connection, { type: '> is doubted' });
      void this.channel.doubt(connection);
      return;
    }
    const arrival = { ends: 0 };
    this.arrivals.push(arrival);
    this.mark(connection, { type: '> is released', rev: upTo.rev });
    this.channel.release(connection, upTo, {
      live: ({ rev }) => this.mark(connection, { type: '> arrives', rev }),
      over: () => {
        arrival.ends++;
      },
    });
  }

  leave(connection: JsonLineConnection): void {
    this.muted.add(connection);
    this.mark(connection, { type: '> leaves' });
    this.channel.leave(connection);
  }

  /** A piece of a stream: each connection that is in gets it, once. */
  stream(): void {
    const index = ++this.pieces;
    this.channel.stream(MESSAGE, { type: 'delta', text: 'x', index });
    for (const connection of this.connections) this.mark(connection, { type: '> piece', index });
  }

  /** The end of a turn: what waits is written. */
  flush(): void {
    for (const connection of this.connections) connection.flush();
  }

  async wait(): Promise<void> {
    await jest.advanceTimersByTimeAsync(REORDERED_MS);
  }

  /** Clients read, the log answers, and what was never told is found. */
  async settle(): Promise<void> {
    for (const connection of this.connections) connection.read();
    this.channel.refresh();
    do {
      while (this.reads.length > 0) this.answer(0);
      await this.wait();
      await turns();
    } while (this.reads.length > 0);
  }

  /** What is wrong now that all has settled. */
  faults(): string[] {
    const faults = this.connections.flatMap((connection, n) =>
      streamFaultsOf(connection, this.room, {
        isHere: this.channel.has(connection),
        isDue: !this.muted.has(connection),
      }).map((fault) => `connection ${n} of ${connection.userId}: ${fault}`),
    );
    if (this.channel.position.rev !== this.room.position.rev) faults.push('the channel is behind');
    return faults;
  }

  /** All go: the channel is over, once, and each release has come to its end, once. */
  end(): string[] {
    for (const connection of [...this.connections, this.keeper]) this.channel.leave(connection);
    const faults = this.arrivals.some(({ ends }) => ends !== 1) ? ['a release did not end once'] : [];
    return this.endings === 1 ? faults : [...faults, `the channel ended ${this.endings} times`];
  }

  private place(connection: JsonLineConnection, type: StreamMark['type'], { rev }: Position, work: () => void): void {
    if (!this.channel.has(connection)) this.mark(connection, { type, rev });
    work();
  }

  private mark(connection: Connection, mark: StreamMark): void {
    connection.sendFrame(this.batches.encode(JSON.stringify(mark)));
  }

  private pageAfter(rev: number): LogPage {
    const changes = this.room.changes.slice(rev, rev + this.page);
    return {
      events: changes.map((change) => eventOf(TENANT, this.room.roomId, change)),
      more: rev + this.page < this.room.changes.length,
      position: this.positionAt(rev + changes.length),
    };
  }

  private positionAt(wanted: number): Position {
    const rev = Math.max(0, wanted);
    return { rev, seq: this.room.changes.filter((change) => change.rev <= rev && change.seq !== undefined).length };
  }

  /** Whether the user was a member right after this change. */
  private sits({ userId }: Connection, rev: number): boolean {
    const last = this.room.changes.findLast((change) => change.rev <= rev && change.user === userId);
    return last === undefined ? this.room.founders.has(userId) : last.type === 'member.joined';
  }
}
