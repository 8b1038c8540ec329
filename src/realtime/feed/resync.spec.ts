import { UnreliableBus } from '../../../test/support/cluster/unreliable-bus';
import { FeedNode } from '../../../test/support/realtime/feed-nodes';
import type { JsonLineConnection } from '../../../test/support/realtime/json-line-connection';
import { ManualRests } from '../../../test/support/realtime/manual-rests';
import { eventOf, ModelDatabase, type ModelRoom, turns } from '../../../test/support/realtime/model-log';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
/** Users of one page. */
const PAGE = 500;
/** What is looked up in one turn, and a page of heads beside it. */
const MOST_PER_TURN = 2500;

/** A node with connections, and other nodes of which hints may be lost. */
class Fixture {
  readonly database = new ModelDatabase(TENANT);
  readonly rests = new ManualRests();
  readonly wire = new UnreliableBus();
  readonly node: FeedNode;
  readonly others: readonly FeedNode[];
  private readonly connections = new Map<string, JsonLineConnection>();

  constructor(others = 2) {
    this.node = new FeedNode(this.database, this.wire, 1, this.rests);
    this.others = Array.from({ length: others }, () => new FeedNode(this.database, this.wire));
  }

  /** Rooms of these users, and a connection here of each. */
  async open(users: number, roomsEach = 1): Promise<void> {
    for (let n = 0; n < users; n += PAGE) {
      const members = Array.from({ length: Math.min(PAGE, users - n) }, (_, i) => `user-${n + i}`);
      for (let room = 0; room < roomsEach; room++) this.room(members);
      for (const user of members) this.connections.set(user, this.node.open(user).connection);
    }
    for (let busy = -1; busy !== this.database.reads;) {
      busy = this.database.reads;
      await turns();
    }
    this.wire.deliverAll();
    this.database.asked = [];
  }

  room(members: readonly string[]): ModelRoom {
    return this.database.room(`0190bbbb-0000-7000-8000-${String(this.database.rooms.size).padStart(12, '0')}`, members);
  }

  framesOf(user: string): readonly { readonly type?: unknown }[] {
    return this.connections.get(user)?.frames ?? [];
  }

  /** Another node commits to the room, and nobody is told but by a gap. */
  async loseMessage(room: ModelRoom, at: number): Promise<void> {
    this.others[at]?.feed.feed.publishEvents([eventOf(TENANT, room.roomId, room.message())]);
    await turns();
    this.wire.drop(0);
    while (this.wire.onTheWay.length > 0) this.wire.drop(0);
    this.wire.announce();
    this.wire.deliverAll();
  }

  /** Goes on until it rests; then, each time, ends the rest. */
  async runOut(run: Promise<void>): Promise<void> {
    let isOver = false;
    void run.then(() => (isOver = true));
    while (!isOver) {
      await turns();
      this.rests.wake();
    }
  }

  stop(): void {
    for (const node of [this.node, ...this.others]) node.stop();
  }
}

async function playing(fixture: Fixture, play: (fixture: Fixture) => Promise<void>): Promise<void> {
  try {
    await play(fixture);
  } finally {
    fixture.stop();
  }
}

const counts = (names: readonly string[]): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const name of names) found[name] = (found[name] ?? 0) + 1;
  return found;
};

const USERS = 5000;
const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `user-${from + i}`);

describe('a resync after a gap', () => {
  it('asks about 5,000 users in 10 statements, and once about a room that 500 were added to', () =>
    playing(new Fixture(), async (fixture) => {
      const { database, node } = fixture;
      await fixture.open(USERS);
      await fixture.runOut(node.feed.resync.all());
      expect(counts(database.asked)).toEqual({ heads: 1, roomsOf: USERS / PAGE });
      database.asked = [];
      const room = fixture.room([]);
      for (const user of names(PAGE / 2, PAGE + PAGE / 2)) room.join(user);
      await fixture.runOut(node.feed.resync.all());
      const { roomsOf, entrances } = counts(database.asked);
      expect([roomsOf, entrances]).toEqual([USERS / PAGE, 1]);
      expect(node.feed.channels.find(TENANT, room.roomId)?.size).toBe(PAGE);
    }));

  it('compares rooms before it asks about any user, and begins within 5 s where there are other nodes', () =>
    playing(new Fixture(), async (fixture) => {
      const { database, node, rests } = fixture;
      await fixture.open(PAGE);
      database.isPatient = true;
      await fixture.loseMessage([...database.rooms.values()][0] as ModelRoom, 0);
      await turns();
      expect([rests.asked, database.asked]).toEqual([[2500], []]);
      rests.wake();
      await turns();
      expect(database.asked).toEqual(['heads']);
      await database.answer();
      expect(database.asked).toEqual(['heads', 'after', 'roomsOf']);
      database.calls.splice(0, 1)[0]?.go();
      await turns();
      expect(fixture.framesOf('user-7').map(({ type }) => type)).toEqual(['message']);
      expect(node.feed.channels.size).toBe(1);
      await database.settle();
    }));

  it('is one run for several gaps, of whichever nodes', () =>
    playing(new Fixture(3), async (fixture) => {
      const { database, rests } = fixture;
      await fixture.open(2 * PAGE);
      const [room] = database.rooms.values();
      for (const at of [0, 1, 2, 0]) await fixture.loseMessage(room as ModelRoom, at);
      await turns();
      for (let n = 0; n < 9; n++) {
        rests.wake();
        await turns();
      }
      expect(counts(database.asked)).toEqual({ heads: 1, after: 1, roomsOf: 2 });
      expect(fixture.framesOf('user-0')).toHaveLength(4);
    }));

  it('begins anew after a gap that it is told meanwhile: rooms at once, then the users that it has not come to', () =>
    playing(new Fixture(1), async (fixture) => {
      const { database, node, rests } = fixture;
      await fixture.open(3 * PAGE);
      const asked: string[] = [];
      const { positions } = database;
      jest.spyOn(positions, 'roomsOf').mockImplementation(async (_, users) => {
        asked.push(users[0] ?? '');
        database.asked.push('roomsOf');
        return Promise.resolve(users.map(() => []));
      });
      for (let gap = 0; gap < 3; gap++) {
        void node.feed.resync.all();
        await turns();
        // The stagger; the rest before the second page is ended by the next gap.
        rests.wake();
        await turns();
        expect(rests.isResting).toBe(true);
      }
      await fixture.runOut(node.feed.resync.all());
      expect(asked.slice(0, 3)).toEqual(['user-0', `user-${PAGE}`, `user-${2 * PAGE}`]);
      expect(asked.slice(3).sort()).toEqual(['user-0', `user-${PAGE}`, `user-${2 * PAGE}`].sort());
      expect(database.asked.slice(0, 6)).toEqual(['heads', 'roomsOf', 'heads', 'roomsOf', 'heads', 'roomsOf']);
    }));

  it('rests a second between pages at most, and a minute in all', () =>
    playing(new Fixture(1), async (fixture) => {
      const { node, rests } = fixture;
      await fixture.open(3 * PAGE);
      await fixture.runOut(node.feed.resync.all());
      expect(rests.asked).toEqual([2500, 1000, 1000]);
      for (const pages of [60, 61, 1000]) {
        const before = rests.asked.length;
        void node.feed.pace.restBetween(pages);
        expect(pages * (rests.asked[before] ?? Infinity)).toBeLessThanOrEqual(60_000);
        rests.wake();
      }
    }));

  it('rests never where there is no other node', () =>
    playing(new Fixture(0), async (fixture) => {
      const { node, rests } = fixture;
      await fixture.open(2 * PAGE);
      await node.feed.resync.all();
      expect(rests.asked).toEqual([]);
    }));

  it('measures its parts', () =>
    playing(new Fixture(0), async (fixture) => {
      await fixture.open(PAGE);
      await fixture.node.feed.resync.all();
      const text = await fixture.node.feed.metrics.text();
      for (const part of ['rooms', 'users']) expect(text).toContain(`chatapi_resync_seconds_count{part="${part}"} 1`);
    }));
});

describe('clients that lack nothing, while a resync goes on', () => {
  it('wait for no more than a thousand looks between two turns of the loop', () =>
    playing(new Fixture(0), async (fixture) => {
      const { node, database } = fixture;
      await fixture.open(USERS, 4);
      const find = jest.spyOn(node.feed.channels, 'find');
      const run = node.feed.resync.all();
      const [room] = database.rooms.values() as Iterable<ModelRoom>;
      let most = 0;
      let sent = 0;
      let isOver = false;
      void run.then(() => (isOver = true));
      while (!isOver) {
        find.mockClear();
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, find.mock.calls.length);
        if (isOver || room === undefined) break;
        node.feed.feed.publishEvents([eventOf(TENANT, room.roomId, room.message())]);
        // In the same turn.
        expect(fixture.framesOf('user-0')).toHaveLength(++sent);
      }
      expect(sent).toBeGreaterThan((4 * USERS) / MOST_PER_TURN);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThan(MOST_PER_TURN);
    }));
});
