import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { PresenceConnection } from '../../../test/support/realtime/presence-connection';
import { PresenceNode } from '../../../test/support/realtime/presence-node';
import { InMemoryRooms } from '../../../test/support/realtime/in-memory-rooms';
import { ManualClock } from '../../common/time';
import { MemoryBus, MemoryLeases } from '../../platform/cluster';
import { presenceKey } from './leases';
import { IDS_PER_TURN, WorkShare } from './online-neighbours';
import { PRESENCE_HINTS } from './presence-board';
import { TOGETHER } from './snapshots';
import { TenantConnections } from './tenant-connections';

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

function setUp(rooms: Record<string, readonly string[]>) {
  const clock = new ManualClock();
  const leases = new MemoryLeases(clock);
  const world = new InMemoryRooms(new Map(Object.entries(rooms).map(([id, users]) => [id, new Set(users)])));
  const subscriptions: ConstructorParameters<typeof PresenceNode>[1]['subscriptions'] = new Map();
  const node = new PresenceNode('n1', { clock, leases, subscriptions, world });
  const lookUps = jest.spyOn(world.positions, 'neighbours');
  const asked = jest.spyOn(leases, 'heldAmong');
  /** As if connected to a node that this one has not heard of. */
  const elsewhere = (users: readonly string[]): Promise<unknown> =>
    Promise.all(users.map((user) => leases.holdLease(presenceKey('t1', user), `far-${user}`, 75_000)));
  const bus = new MemoryBus('n2', () => undefined, subscriptions);
  return { clock, world, node, lookUps, asked, elsewhere, bus };
}

/** The next turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Turns until each of these has a frame; returns how many. */
async function turnsUntilTold(connections: readonly PresenceConnection[]): Promise<number> {
  for (let turns = 0; ; turns++) {
    if (connections.every(({ frames }) => frames.length > 0)) return turns;
    if (turns > 10_000) throw new Error('not told');
    await turn();
  }
}

/** The one snapshot that the connection was sent, in order of id. */
function snapshotOf({ frames }: PresenceConnection): string[] {
  const snapshots = frames.filter(({ type }) => type === 'presence.snapshot');
  expect(snapshots).toHaveLength(1);
  expect(frames[0]).toBe(snapshots[0]);
  return (snapshots[0]?.['user_ids'] as string[]).toSorted();
}

describe('snapshots of many connections', () => {
  it('a lone connection gets its own at once', async () => {
    const { node, lookUps } = setUp({ hall: ['ann', 'ben'] });
    await node.open('ben');
    const ann = await node.open('ann');
    expect(snapshotOf(ann)).toEqual(['ben']);
    expect(lookUps.mock.calls.map(([, users]) => users)).toEqual([['ben'], ['ann']]);
  });

  it('those that wait share look-ups, and nobody is looked up twice in one', async () => {
    const users = names('u', TOGETHER + 200);
    const tableOf = (user: string): string[] => {
      const from = 100 * Math.floor(users.indexOf(user) / 100);
      return users.slice(from, from + 100);
    };
    // Each table twice: they share two rooms.
    const rooms = users
      .filter((_, n) => n % 100 === 0)
      .flatMap((user): [string, string[]][] => [0, 1].map((n) => [`table ${n} of ${user}`, tableOf(user)]));
    const { world, node, lookUps, asked } = setUp(Object.fromEntries(rooms));
    // It looks users up too, and what it would say of each of them is not what is asked here.
    jest.spyOn(node.parts.announcer, 'mark').mockReturnValue(undefined);
    world.broken = true;
    const connections = users.map((user) => node.openNow(user));
    await turn();
    expect(connections.every(({ frames }) => frames.length === 0)).toBe(true);
    world.broken = false;
    lookUps.mockClear();
    asked.mockClear();
    await node.parts.snapshots.tick();
    expect(lookUps.mock.calls.map(([, those]) => those.length)).toEqual([TOGETHER, 200]);
    expect(asked.mock.calls.map(([keys]) => keys.length)).toEqual([TOGETHER, 200]);
    for (const connection of connections)
      expect(snapshotOf(connection)).toEqual(
        tableOf(connection.userId)
          .filter((user) => user !== connection.userId)
          .toSorted(),
      );
  });

  it('are looked up at most four times between two ticks, and rest after a look-up that took long', async () => {
    const { clock, node, lookUps } = setUp({ room: ['ann', 'ben', 'cat', 'dan', 'eve', 'fay'] });
    for (const user of ['ann', 'ben', 'cat', 'dan', 'eve']) {
      node.openNow(user);
      await turn();
    }
    expect(lookUps.mock.calls.map(([, users]) => users)).toEqual([['ann'], ['ben'], ['cat'], ['dan']]);
    lookUps.mockImplementationOnce(() => {
      clock.advance(300);
      return Promise.resolve({ rooms: [], later: [] });
    });
    await node.parts.snapshots.tick();
    expect(lookUps.mock.lastCall?.[1]).toEqual(['eve']);
    const fay = node.openNow('fay');
    for (const [ms, isTold] of [
      [0, false],
      [899, false],
      [1, true],
    ] as const) {
      clock.advance(ms);
      await node.parts.snapshots.tick();
      expect(fay.frames.length > 0).toBe(isTold);
    }
  });

  it('gather for the next tick while others wait to be let in', async () => {
    const { node, lookUps } = setUp({ room: ['ann', 'ben', 'cat'] });
    node.pieces = 1;
    for (const user of ['ann', 'ben']) {
      node.openNow(user);
      await turn();
    }
    expect(lookUps).not.toHaveBeenCalled();
    await node.parts.snapshots.tick();
    node.pieces = 0;
    node.openNow('cat');
    await turn();
    expect(lookUps.mock.calls.map(([, users]) => users)).toEqual([['ann', 'ben'], ['cat']]);
  });

  it('say who is online in the rooms of the user, whoever else is looked up', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 7 }), { maxLength: 8 }),
      fc.uniqueArray(fc.nat(9)),
      fc.array(fc.nat(9), { minLength: 1, maxLength: 8 }),
      fc.nat(7),
      async (rooms, far, opening, limit) => {
        const members = rooms.map((room) => room.map((n) => `"u\\${n}`));
        const { world, node, elsewhere } = setUp(Object.fromEntries(members.entries()));
        await elsewhere(far.map((n) => `"u\\${n}`));
        world.broken = true;
        const connections = opening.map((n) => node.openNow(`"u\\${n}`, { presence_room_limit: limit }));
        await turn();
        world.broken = false;
        await node.parts.snapshots.tick();
        const online = new Set([...far, ...opening].map((n) => `"u\\${n}`));
        for (const connection of connections) {
          const { userId } = connection;
          const near = members.filter((room) => room.length <= limit && room.includes(userId)).flat();
          const others = near.filter((user) => user !== userId && online.has(user));
          expect(snapshotOf(connection)).toEqual([...new Set(others)].sort());
        }
      },
    );
    await fc.assert(property, { numRuns: runs(300) });
  });

  it('tell at most 5,000, and never the user', async () => {
    const users = names('u', 5100);
    const { node, elsewhere } = setUp({ hall: users });
    await elsewhere(users);
    const connection = node.openNow('u5099', { presence_room_limit: 10_000 });
    await turnsUntilTold([connection]);
    const told = new Set(snapshotOf(connection));
    expect([told.size, told.has('u5099')]).toEqual([5000, false]);
  });

  it('those whose rooms do not fit into a look-up are told with the next', async () => {
    const rooms = Object.fromEntries(names('hall', 15).map((hall) => [hall, [hall, ...names(`${hall}-`, 9_999)]]));
    const { world, node, lookUps } = setUp(rooms);
    // What it says would go into the snapshots too.
    jest.spyOn(node.parts.announcer, 'mark').mockReturnValue(undefined);
    world.broken = true;
    const connections = names('hall', 15).flatMap((user) => [
      node.openNow(user, { presence_room_limit: 10_000 }),
      node.openNow(`${user}-0`, { presence_room_limit: 10_000 }),
    ]);
    await turn();
    world.broken = false;
    lookUps.mockClear();
    await node.parts.snapshots.tick();
    // Ten rooms of 10,000 are what one look-up reads.
    expect(lookUps.mock.calls.map(([, users]) => users.length)).toEqual([30, 10]);
    for (const connection of connections) {
      const room = connection.userId.split('-')[0] ?? '';
      expect(snapshotOf(connection)).toEqual([connection.userId === room ? `${room}-0` : room]);
    }
  });

  it('let others have their turn, tell nobody who has gone meanwhile, and hold what changes', async () => {
    const users = names('u', 190);
    const { node, world, bus } = setUp({ hall: [...users, 'far'] });
    world.broken = true;
    const connections = users.map((user) => node.openNow(user));
    await turn();
    world.broken = false;
    let done = false;
    const all = node.parts.snapshots.tick().then(() => (done = true));
    let turns = 0;
    for (; !connections.some(({ frames }) => frames.length > 0); turns++) await turn();
    const waiting = connections.filter(({ frames }) => frames.length === 0);
    expect(waiting.length).toBeGreaterThan(0);
    const [gone, ...rest] = waiting;
    gone?.close();
    bus.publish(PRESENCE_HINTS, { kind: 'change', tenantId: 't1', userId: 'far', online: true, rooms: ['hall'] });
    for (; !done; turns++) await turn();
    await all;
    expect(gone?.frames).toEqual([]);
    for (const connection of rest) {
      const updates = connection.frames.filter(({ type, user_id }) => type === 'presence.update' && user_id === 'far');
      expect(snapshotOf(connection).includes('far') ? 1 : 0).toBe(1 - updates.length);
    }
    expect(snapshotOf(rest.at(-1) ?? (connections[0] as PresenceConnection))).toContain('far');
    expect(turns).toBeGreaterThan((190 * 190) / IDS_PER_TURN - 2);
  });
});

describe('what is done in one turn', () => {
  it('is bounded, but for what cannot be divided', async () => {
    const share = new WorkShare();
    expect(share.next(IDS_PER_TURN)).toBeUndefined();
    const pause = share.next(1);
    let isNext = false;
    setImmediate(() => (isNext = true));
    await pause;
    expect(isNext).toBe(false);
    await turn();
    expect(share.next(IDS_PER_TURN)).toBeDefined();
  });
});

describe('waiting connections', () => {
  it('go first come, first served within a tenant, and tenants take turns', () => {
    const waiting = new TenantConnections();
    const [a, b, c, x, y] = [
      ['a', 't1'],
      ['b', 't1'],
      ['c', 't1'],
      ['x', 't2'],
      ['y', 't2'],
    ].map(([id = '', tenant = '']) => new PresenceConnection(id, tenant, id));
    for (const each of [a, x, b, c, y]) if (each) waiting.add(each);
    const take = (most: number): string[] => waiting.take(most).map(({ id }) => id);
    expect(take(2)).toEqual(['a', 'b']);
    expect(take(1)).toEqual(['x']);
    waiting.putBack([b, a].flatMap((each) => each ?? []));
    expect(take(2)).toEqual(['b', 'a']);
    expect([take(9), take(9), take(9), waiting.isEmpty]).toEqual([['y'], ['c'], [], true]);
  });
});
