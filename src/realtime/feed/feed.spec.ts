import fc from 'fast-check';
import { roomAddress } from '../../common/ids';
import { runs } from '../../../test/support/timing';
import { UnreliableBus } from '../../../test/support/cluster/unreliable-bus';
import { FeedNode } from '../../../test/support/realtime/feed-nodes';
import { expectView, type WatchedMember } from '../../../test/support/realtime/feed-view';
import { type Change, eventOf, ModelDatabase, type ModelRoom, turns } from '../../../test/support/realtime/model-log';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const ROOM = '0190bbbb-0000-7000-8000-000000000001';
const USERS = ['ann', 'ben', 'cat'] as const;

/** `told`: 0 not at all, 1 and 2 by a touch, else by the event itself. */
interface Commit {
  readonly do: 'message' | 'edit' | 'join' | 'leave';
  readonly who: number;
  readonly node: number;
  readonly told: number;
}

type Step =
  | Commit
  | { readonly do: 'open' | 'close'; readonly who: number; readonly node: number }
  | { readonly do: 'answer' | 'turn' }
  | { readonly do: 'deliver' | 'double' | 'drop'; readonly nth: number };

const node = fc.nat(1);
const who = fc.nat(USERS.length - 1);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('message' as const, 'message' as const, 'edit' as const, 'join' as const, 'leave' as const),
      who,
      node,
      told: fc.nat(9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'open' as const, 'close' as const), who, node }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('answer' as const, 'turn' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('deliver' as const, 'deliver' as const, 'double' as const, 'drop' as const),
      nth: fc.nat(5),
    }),
  },
) as fc.Arbitrary<Step>;

/** Two nodes on one database, one room. */
class Play {
  readonly database = new ModelDatabase(TENANT, 3);
  readonly room: ModelRoom = this.database.room(ROOM, ['ann', 'ben']);
  readonly wire: UnreliableBus;
  readonly nodes: readonly FeedNode[];
  readonly watched: WatchedMember[] = [];

  constructor(confirmsLate = false) {
    this.database.isPatient = true;
    this.wire = new UnreliableBus(confirmsLate);
    this.nodes = [new FeedNode(this.database, this.wire), new FeedNode(this.database, this.wire)];
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.step(each);
    await this.database.settle();
    // What was lost without a trace is found by the poll, or when the node that lost it is heard of again.
    for (const each of this.nodes) each.feed.feed.touchRoom(TENANT, ROOM);
    await turns();
    this.wire.deliverAll();
    await this.database.settle();
    for (const each of this.nodes) {
      const round = each.feed.resync.all();
      await this.database.settle();
      await round;
    }
    await this.database.settle();
  }

  stop(): void {
    for (const each of this.nodes) each.stop();
  }

  private async step(each: Step): Promise<void> {
    if (each.do === 'answer') await this.database.answer();
    else if (each.do === 'turn') await turns();
    else if (each.do === 'deliver') this.wire.deliver(each.nth);
    else if (each.do === 'double') this.wire.deliver(each.nth, true);
    else if (each.do === 'drop') this.wire.drop(each.nth);
    else if (each.do === 'open') this.open(USERS[each.who] ?? '', each.node);
    else if (each.do === 'close') this.watched[each.who]?.connection.close();
    else this.commit(each as Commit);
  }

  private open(user: string, at: number): void {
    const { connection, opened } = (this.nodes[at] as FeedNode).open(user);
    const watched = { connection, user, from: this.room.position.rev, upTo: Infinity };
    this.watched.push(watched);
    void opened.then(() => (watched.upTo = this.room.position.rev));
  }

  private commit(each: Commit): void {
    const user = USERS[each.who] ?? '';
    const change = this.change(each.do, user, each.told);
    if (change === undefined || each.told === 0) return;
    const { feed } = (this.nodes[each.node] as FeedNode).feed;
    if (each.told < 3) feed.touchRoom(TENANT, ROOM, change.type === 'member.joined' ? [user] : []);
    else feed.publishEvents([eventOf(TENANT, ROOM, change)]);
  }

  private change(kind: string, user: string, nth: number): Change | undefined {
    if (kind === 'message') return this.room.message();
    if (kind === 'edit') return this.room.edit(nth);
    return kind === 'join' ? this.room.join(user) : this.room.leave(user);
  }
}

describe('the feed of two nodes', () => {
  it.each([
    ['at once', false],
    ['later', true],
  ])('shows every connection the room’s own order, whatever becomes of the hints; followed %s', async (_, isLate) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const play = new Play(isLate);
        try {
          await play.run(steps);
          for (const watched of play.watched) if (watched.connection.isOpen) expectView(play.room, watched);
          const here = play.nodes.map((each) => each.feed.channels.size);
          const sitting = play.watched.some((w) => w.connection.isOpen && play.room.members.has(w.user));
          expect(here.some((n) => n > 0)).toBe(sitting);
          for (const { feed } of play.nodes) {
            const occupied = feed.channels.all().filter(({ size }) => size > 0).length;
            expect([feed.channels.live(), feed.channels.live(TENANT)]).toEqual([occupied, occupied]);
          }
        } finally {
          play.stop();
        }
      }),
      { numRuns: runs(300) },
    );
  });

  it('forgets nothing that a channel has told whose last one leaves while another one is let in', async () => {
    const play = new Play();
    const { database, room } = play;
    const here = play.nodes[0] as FeedNode;
    try {
      const ann = here.open('ann');
      await turns();
      await database.answer();
      await ann.opened;
      const ben = here.open('ben');
      await turns();
      for (const { see } of database.calls) see();
      here.feed.feed.publishEvents([eventOf(TENANT, ROOM, room.message())]);
      ann.connection.close();
      here.rest();
      expect(here.feed.channels.size).toBe(0);
      await database.settle();
      await ben.opened;
      expect(ben.connection.frames.map(({ type }) => type)).toEqual(['message']);
    } finally {
      play.stop();
    }
  });

  it('brings a member in whose joining nobody told, by a poll', async () => {
    const play = new Play();
    try {
      await play.run([{ do: 'open', who: 2, node: 0 }]);
      play.room.join(USERS[2] ?? '');
      const { resync, channels } = (play.nodes[0] as FeedNode).feed;
      expect(channels.size).toBe(0);
      const round = resync.poll((ask) => ask());
      await play.database.settle();
      await round;
      await play.database.settle();
      expect(play.watched[0]?.connection.frames).toMatchObject([{ type: 'member.joined', user: USERS[2] }]);
    } finally {
      play.stop();
    }
  });

  it('tells other nodes of a long text that it is there, and of a user who joins where only the user is', async () => {
    const play = new Play();
    try {
      await play.run([{ do: 'open', who: 2, node: 1 }]);
      const [here, there] = play.nodes as [FeedNode, FeedNode];
      const told: string[] = [];
      const wire = play.wire.bus('listener');
      wire.subscribe<{ hints: readonly { kind: string }[] }>('room-hints', ({ payload }) =>
        told.push(...payload.hints.map(({ kind }) => kind)),
      );
      await wire.follow(roomAddress(TENANT, ROOM));
      const publish = (change: Change | undefined, text = ''): void => {
        if (change !== undefined)
          here.feed.feed.publishEvents([{ ...eventOf(TENANT, ROOM, change), frame: () => ({ ...change, text }) }]);
      };
      publish(play.room.join(USERS[2] ?? ''));
      publish(play.room.message(), 'x'.repeat(8192));
      await turns();
      play.wire.deliverAll();
      await play.database.settle();
      expect(told).toEqual(['change', 'head']);
      expect(there.feed.channels.size).toBe(1);
      expect(play.watched[0]?.connection.frames).toMatchObject([
        { type: 'member.joined', user: USERS[2] },
        { type: 'message', seq: 1 },
      ]);
    } finally {
      play.stop();
    }
  });

  it('spares clients of the room alone, here and there: what nobody here is told holds nobody up who comes back', async () => {
    const play = new Play();
    try {
      await play.run([{ do: 'open', who: 0, node: 1 }]);
      const [here, there] = play.nodes as [FeedNode, FeedNode];
      const before = [here.feed.live, there.feed.live];
      const tell = async (): Promise<number[]> => {
        here.feed.feed.publishEvents([eventOf(TENANT, ROOM, play.room.message())]);
        await turns();
        play.wire.deliverAll();
        return [here.feed.live, there.feed.live].map((live, n) => live - (before[n] ?? 0));
      };
      expect(await tell()).toEqual([0, 1]);
      play.watched[0]?.connection.close();
      // The channel is followed for a minute more.
      expect(there.feed.channels.size).toBe(1);
      expect(await tell()).toEqual([0, 1]);
    } finally {
      play.stop();
    }
  });

  it('makes no hints where there is no other node', async () => {
    const database = new ModelDatabase(TENANT, 3);
    const room = database.room(ROOM, ['ann']);
    const wire = new UnreliableBus();
    const node = new FeedNode(database, wire);
    let made = 0;
    node.feed.feed.publishEvents([{ ...eventOf(TENANT, ROOM, room.message()), text: () => `${++made}` }]);
    await turns();
    node.stop();
    expect([made, wire.onTheWay.length]).toEqual([0, 0]);
  });
});
