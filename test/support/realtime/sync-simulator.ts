import fc from 'fast-check';
import { encodeId } from '../../../src/common/ids';
import type { Frame } from '../../../src/realtime';
import type { SyncBounds } from '../../../src/realtime/sync/room-sync';
import type { SyncService } from '../../../src/realtime/sync/sync-service';
import { UnreliableBus } from '../cluster/unreliable-bus';
import { FeedNode } from './feed-nodes';
import type { JsonLineConnection } from './json-line-connection';
import { type Change, eventOf, ModelDatabase, type ModelRoom, turns } from './model-log';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
export const ROOM = '0190bbbb-0000-7000-8000-000000000001';
const ROOM_ID = encodeId('room', ROOM);

/** Changes of one page's time that no channel keeps. */
const TOO_MANY = 105;

/** Small, so that a few messages are too many. */
const BOUNDS: SyncBounds = { roomMessages: 6, messages: 6, roomRevisions: 1000, markedMembers: 100 };

/** How a commit is told: not at all, by a touch, by its event; on the connection's node or on the other. */
interface Commit {
  readonly do: 'message' | 'edit' | 'join' | 'leave' | 'remove' | 'delete';
  readonly nth: number;
  readonly node: number;
  readonly told: number;
}

export type SyncStep =
  | Commit
  | { readonly do: 'open' | 'ack' | 'close' | 'answer' | 'fail' | 'turn' | 'stall' | 'read' }
  | { readonly do: 'sync'; readonly afterSeq: number; readonly afterRev: number }
  | { readonly do: 'deliver' | 'drop'; readonly nth: number };

const steps = <T extends string>(...names: readonly T[]): fc.Arbitrary<{ readonly do: T }> =>
  fc.record({ do: fc.constantFrom(...names) });

/** A commit of this kind, told in any way. */
export const commitStep = (kind: Commit['do']): fc.Arbitrary<Commit> =>
  fc.record({ do: fc.constant(kind), nth: fc.nat(20), node: fc.nat(1), told: fc.nat(6) });

/** Anything but the user's removal and the room's end. */
export const harmlessStep: fc.Arbitrary<SyncStep> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['message', 'message', 'message', 'message', 'edit', 'edit', 'join', 'leave'] as const)),
      nth: fc.nat(20),
      node: fc.nat(1),
      told: fc.nat(6),
    }),
  },
  { weight: 6, arbitrary: steps('open', 'answer', 'answer', 'turn', 'stall', 'read', 'fail', 'ack') },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('deliver' as const, 'drop' as const), nth: fc.nat(5) }) },
);

export const anyStep = fc.oneof(
  { weight: 18, arbitrary: harmlessStep },
  { weight: 1, arbitrary: fc.oneof(commitStep('remove'), commitStep('remove'), commitStep('delete')) },
);

/** Where a connection's sync is when something happens. */
export type Phase = 'opening' | 'reading' | 'stalled' | 'following' | 'live';

/** One connection under watch. */
export interface WatchedConnection {
  readonly connection: JsonLineConnection;
  /** The user's cursor when it had its place. */
  acked: number;
  /** The room's revision when it had its place; undefined: it got none. */
  positionRev: number | undefined;
}

/** A user `ben` whose connections sync in one room that others change, on two nodes. */
export class SyncSimulator {
  readonly database = new ModelDatabase(TENANT, 3);
  readonly room: ModelRoom = this.database.room(ROOM, ['ann', 'ben']);
  readonly watched: WatchedConnection[] = [];
  private readonly wire = new UnreliableBus();
  private readonly nodes = [new FeedNode(this.database, this.wire), new FeedNode(this.database, this.wire)];
  private readonly service: SyncService;
  private readonly opening = new Set<JsonLineConnection>();

  /** @param isChannel whether who is removed may still read */
  constructor(isChannel: boolean) {
    this.database.isPatient = true;
    this.room.isChannel = isChannel;
    this.service = this.here.syncing(BOUNDS);
  }

  private get here(): FeedNode {
    return this.nodes[0] as FeedNode;
  }

  async run(all: readonly SyncStep[]): Promise<void> {
    for (const each of all) await this.step(each);
  }

  /** Opens a connection, which has missed more than is sent or not, and brings its sync into a phase. */
  async reach(phase: Phase, hasMissedMuch: boolean): Promise<void> {
    for (const { connection } of this.watched) connection.read();
    if (hasMissedMuch) this.messages(BOUNDS.roomMessages + 1);
    await this.settle();
    this.open();
    await turns();
    if (phase === 'opening') return;
    const connection = this.watched.at(-1)?.connection;
    if (connection !== undefined && phase === 'stalled') connection.isSlow = true;
    await this.database.answer();
    if (phase === 'live') await this.settle();
    if (phase !== 'following') return;
    // More than the channel keeps for it: it has to read the log.
    this.messages(TOO_MANY);
    await this.answerUntil('after');
  }

  stop(): void {
    for (const node of this.nodes) node.stop();
  }

  /** Nobody is slow any more, the database answers, and what was lost is found. */
  async finish(): Promise<void> {
    for (const { connection } of this.watched) connection.read();
    await this.settle();
    for (const node of this.nodes) node.feed.feed.touchRoom(TENANT, ROOM);
    this.wire.deliverAll();
    await this.settle();
    for (const node of this.nodes) {
      const round = node.feed.resync.all();
      await this.settle();
      await round;
    }
    await this.settle();
  }

  private messages(count: number): void {
    for (let i = 0; i < count; i++) this.commit({ do: 'message', nth: 0, node: 0, told: 2 });
  }

  private async answerUntil(name: string): Promise<void> {
    while (!this.database.calls.some((call) => call.name === name)) if ((await this.database.answer()) === 0) return;
  }

  private async settle(): Promise<void> {
    await this.database.settle();
    await jest.advanceTimersByTimeAsync(10_000);
    await this.database.settle();
  }

  private async step(each: SyncStep): Promise<void> {
    const last = this.watched.at(-1)?.connection;
    if (each.do === 'answer') await this.database.answer();
    else if (each.do === 'fail') this.fail();
    else if (each.do === 'turn') await this.turn();
    else if (each.do === 'stall' && last !== undefined) last.isSlow = true;
    else if (each.do === 'read') last?.read();
    else if (each.do === 'open') this.open();
    else if (each.do === 'close') last?.close();
    else if (each.do === 'ack') this.room.acked.set('ben', this.room.position.seq);
    else if (each.do === 'deliver') this.wire.deliver(each.nth);
    else if (each.do === 'drop') this.wire.drop(each.nth);
    else if (each.do === 'sync') this.ask(each.afterSeq, each.afterRev);
    else if (each.do !== 'stall') this.commit(each as Commit);
  }

  private async turn(): Promise<void> {
    await turns();
    // What failed is tried again, what came early is looked for.
    await jest.advanceTimersByTimeAsync(120);
  }

  private fail(): void {
    const at = this.database.calls.findIndex(({ name }) => ['missed', 'messages', 'opening', 'after'].includes(name));
    if (at >= 0) this.database.calls.splice(at, 1)[0]?.fail();
  }

  private open(): void {
    const { connection, opened } = this.here.openSyncing('ben');
    const { seq } = this.room.position;
    const acked = Math.min(seq, this.room.acked.get('ben') ?? 0);
    const watched: WatchedConnection = { connection, acked, positionRev: undefined };
    this.watched.push(watched);
    this.opening.add(connection);
    void opened.then(() => {
      this.opening.delete(connection);
      if (this.here.feed.channels.find(TENANT, ROOM)?.has(connection) !== true) return;
      watched.positionRev = this.room.position.rev;
      watched.acked = Math.min(this.room.position.seq, this.room.acked.get('ben') ?? 0);
    });
  }

  private ask(afterSeq: number, afterRev: number): void {
    const connection = this.watched.at(-1)?.connection;
    // Before it has its places nothing is read from it.
    if (connection?.isOpen !== true || this.opening.has(connection)) return;
    const frame = { room_id: ROOM_ID, after_seq: afterSeq, ...(afterRev < 0 ? {} : { after_rev: afterRev }) };
    this.service.one(connection, frame, `after ${afterSeq}`).catch(() => undefined);
  }

  private commit(each: Commit): void {
    if (this.room.deleted) return;
    const change = this.change(each);
    if (change === undefined) return;
    if (each.told === 0) return;
    const { feed } = (this.nodes[each.node] as FeedNode).feed;
    const joined = change.type === 'member.joined' ? [change.user ?? ''] : [];
    if (each.told === 1) feed.touchRoom(TENANT, ROOM, joined);
    else feed.publishEvents([eventOf(TENANT, ROOM, change)]);
  }

  private change({ do: what, nth }: Commit): Change | undefined {
    if (what === 'message') return this.room.message();
    if (what === 'edit') return this.room.edit(nth);
    if (what === 'join') return this.room.join(nth % 3 === 0 ? 'ben' : 'cat');
    if (what === 'leave') return this.room.leave('cat');
    return what === 'remove' ? this.room.leave('ben') : this.room.delete();
  }

  /** Makes the change; whether it came while the newest connection was in that phase. */
  async hit(phase: Phase, change: Commit): Promise<boolean> {
    const connection = this.watched.at(-1)?.connection;
    const isThere = connection !== undefined && this.phaseOf(connection) === phase;
    const { rev } = this.room.position;
    await this.step(change);
    return isThere && this.room.position.rev > rev;
  }

  /** Where the connection's sync is. */
  private phaseOf(connection: JsonLineConnection): Phase {
    if (this.opening.has(connection)) return 'opening';
    if (this.here.feed.places.isHeld(connection, ROOM)) {
      return connection.isSlow ? 'stalled' : 'reading';
    }
    return roomFrames(connection).some(({ type }) => type === 'sync.complete') ? 'live' : 'following';
  }
}

/** The connection's frames about the room. */
export function roomFrames(connection: JsonLineConnection): (Frame & Change & { readonly of?: number })[] {
  return connection.frames.filter((frame) => frame.type !== 'error') as never;
}

export function isEnd(frame: Frame, userId: string): boolean {
  return (
    frame.type === 'room.deleted' || (frame.type === 'member.left' && (frame['user'] ?? frame['user_id']) === userId)
  );
}
