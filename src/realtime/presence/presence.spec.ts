import type { PresenceConnection } from '../../../test/support/realtime/presence-connection';
import { PresenceNode, presenceSettled, type PresenceCluster } from '../../../test/support/realtime/presence-node';
import { InMemoryRooms } from '../../../test/support/realtime/in-memory-rooms';
import { ManualClock } from '../../common/time';
import { MemoryLeases } from '../../platform/cluster';
import { PRESENCE_LEASE_MS, presenceKey } from './leases';
import { OFFLINE_GRACE_MS } from './local-presence';

const ROOMS = { pair: ['alice', 'bob'], trio: ['alice', 'bob', 'carol'], other: ['dave', 'erin'] };

function setUp(rooms: Record<string, string[]> = ROOMS) {
  const clock = new ManualClock();
  const leases = new MemoryLeases(clock);
  const world = new InMemoryRooms(new Map(Object.entries(rooms).map(([id, users]) => [id, new Set(users)])));
  const cluster: PresenceCluster = { clock, leases, subscriptions: new Map(), world };
  const node = new PresenceNode('n1', cluster);
  const after = async (ms: number, nodes = [node]): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(500, left));
      for (const each of nodes) await each.tick();
    }
  };
  const isAlive = async (userId: string): Promise<boolean> =>
    (await leases.heldAmong([presenceKey('t1', userId)])).held.size === 1;
  return { clock, world, cluster, node, after, isAlive };
}

/** `alice+` and `alice-` for updates, `[alice,bob]` for a snapshot. */
function heard(connection: PresenceConnection): string[] {
  return connection.take().map((frame) => {
    if (frame.type === 'presence.snapshot') return `[${(frame['user_ids'] as string[]).toSorted().join()}]`;
    if (frame.type !== 'presence.update') return frame.type;
    return `${String(frame['user_id'])}${frame['status'] === 'online' ? '+' : '-'}`;
  });
}

describe('presence.update', () => {
  it('tells others once when the first connection opens, whatever rooms they share', async () => {
    const { node } = setUp();
    const bob = await node.open('bob');
    heard(bob);
    await node.open('alice');
    await node.open('alice');
    expect(heard(bob)).toEqual(['alice+']);
  });

  it('tells one whose rooms are synced just now: nothing would tell it later', async () => {
    const { node } = setUp();
    const bob = await node.open('bob');
    heard(bob);
    node.audience.syncing.add(bob);
    const alice = await node.open('alice');
    expect([heard(bob), heard(alice)]).toEqual([['alice+'], ['[bob]']]);
  });

  it('tells of many who come at once over several turns of the loop, of each as they are when their turn comes', async () => {
    const crowd = Array.from({ length: 40 }, (_, i) => `user${i}`);
    // Ten rooms each, of up to 1,000 people as far as the tenant's setting says: one of them is a turn's work.
    const rooms = Array.from({ length: 10 }, (_, i) => [`room${i}`, ['ann', ...crowd]] as const);
    const { node, clock, after } = setUp(Object.fromEntries(rooms.map(([id, users]) => [id, [...users]])));
    const settings = { presence_room_limit: 1000 };
    const ann = await node.open('ann', settings);
    const connections = crowd.map((user) => node.openNow(user, settings));
    heard(ann);
    const perTurn: number[] = [];
    for (let told = 0; told < crowd.length - 1;) {
      await presenceSettled();
      perTurn.push(heard(ann).length);
      told += perTurn.at(-1) ?? 0;
      if (told === 10) {
        // Gone before others are told of it.
        connections.at(-1)?.close();
        clock.advance(OFFLINE_GRACE_MS);
        await node.parts.local.tick();
      }
    }
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(2);
    await after(2 * OFFLINE_GRACE_MS);
    expect(heard(ann)).toEqual([]);
  });

  it('tells others 5 s after the last connection closed', async () => {
    const { node, after } = setUp();
    const bob = await node.open('bob');
    const [one, two] = [await node.open('alice'), await node.open('alice')];
    heard(bob);
    one.close();
    await after(2 * OFFLINE_GRACE_MS);
    expect(heard(bob)).toEqual([]);
    two.close();
    await after(OFFLINE_GRACE_MS - 500);
    expect(heard(bob)).toEqual([]);
    await after(500);
    expect(heard(bob)).toEqual(['alice-']);
  });

  it('says nothing of a reconnect within 5 s, on this node or another', async () => {
    const { cluster, node, after } = setUp();
    const other = new PresenceNode('n2', cluster);
    const bob = await node.open('bob');
    const first = await node.open('alice');
    heard(bob);
    first.close();
    await after(OFFLINE_GRACE_MS - 500, [node, other]);
    const second = await other.open('alice');
    await after(4 * OFFLINE_GRACE_MS, [node, other]);
    second.close();
    await after(OFFLINE_GRACE_MS - 500, [node, other]);
    await node.open('alice');
    await after(4 * OFFLINE_GRACE_MS, [node, other]);
    expect(heard(bob)).toEqual([]);
  });

  it('reaches neither strangers nor other connections of the user', async () => {
    const { node, after } = setUp();
    const strangers = [await node.open('dave'), await node.open('frank')];
    const own = await node.open('alice');
    for (const connection of [...strangers, own]) heard(connection);
    const bob = await node.open('bob');
    const second = await node.open('alice');
    bob.close();
    second.close();
    await after(2 * OFFLINE_GRACE_MS);
    expect(strangers.flatMap(heard)).toEqual([]);
    expect(heard(own)).toEqual(['bob+', 'bob-']);
  });

  it('is not pushed in rooms larger than the tenant allows', async () => {
    const { node, after } = setUp({ trio: ['alice', 'bob', 'carol'], pair: ['alice', 'carol'] });
    const settings = { presence_room_limit: 2 };
    const [bob, carol] = [await node.open('bob', settings), await node.open('carol', settings)];
    const alice = await node.open('alice', settings);
    alice.close();
    await after(2 * OFFLINE_GRACE_MS);
    expect(heard(bob)).toEqual(['[]']);
    expect(heard(carol)).toEqual(['[]', 'alice+', 'alice-']);
    expect(heard(alice)).toEqual(['[carol]']);
  });

  it('follows a changed limit on open connections, and the last one known for who leaves last', async () => {
    const { node, after } = setUp({ trio: ['alice', 'bob', 'carol'] });
    const [alice, bob] = [await node.open('alice'), await node.open('bob')];
    const renew = (limit: number): void =>
      [alice, bob].forEach(({ caller, tenantId }) =>
        caller.renew({ tenantId, status: 'active', limits: {}, settings: { presence_room_limit: limit } }),
      );
    heard(alice);
    renew(2);
    bob.close();
    await after(2 * OFFLINE_GRACE_MS);
    expect(heard(alice)).toEqual([]);
    renew(3);
    await node.open('carol', { presence_room_limit: 3 });
    expect(heard(alice)).toEqual(['carol+']);
  });

  it('of a storm costs few look-ups, and all are told of by the next tick', async () => {
    const crowd = Array.from({ length: 100 }, (_, n) => `user-${n}`);
    const { node, world, after } = setUp({ hall: ['alice', ...crowd] });
    const alice = await node.open('alice');
    heard(alice);
    const looked = jest.spyOn(world.shared, 'of');
    for (const user of crowd) await node.open(user);
    expect(looked.mock.calls.length).toBeLessThan(20);
    await after(500);
    expect(looked.mock.calls.length).toBeLessThan(20);
    expect(heard(alice).sort()).toEqual(crowd.map((user) => `${user}+`).sort());
  });

  it('is repeated when the look-up failed, with what is so by then', async () => {
    const { world, node, after } = setUp();
    const [bob, alice] = [await node.open('bob'), await node.open('alice')];
    heard(bob);
    world.broken = true;
    alice.close();
    await after(OFFLINE_GRACE_MS);
    expect(heard(bob)).toEqual([]);
    world.broken = false;
    await after(500);
    expect(heard(bob)).toEqual(['alice-']);
    world.broken = true;
    const again = await node.open('alice');
    again.close();
    await after(OFFLINE_GRACE_MS);
    world.broken = false;
    await after(500);
    expect(heard(bob)).toEqual([]);
  });
});

describe('presence.snapshot', () => {
  it('says who is online of those that may be known, on all nodes', async () => {
    const { cluster, node } = setUp();
    await new PresenceNode('n2', cluster).open('bob');
    await node.open('dave');
    expect(heard(await node.open('alice'))).toEqual(['[bob]']);
    expect(heard(await node.open('frank'))).toEqual(['[]']);
  });

  it('comes before any update, and holds what changed while it was made', async () => {
    const { world, node } = setUp();
    world.broken = true;
    const bob = await node.open('bob');
    world.broken = false;
    await node.open('alice');
    await presenceSettled();
    expect(heard(bob)[0]).toBe('[alice]');
    expect(heard(bob)).toEqual([]);
  });

  it('is sent late when the database was away, and not to a connection that is over', async () => {
    const { world, node, after } = setUp();
    world.broken = true;
    const [bob, carol] = [await node.open('bob'), await node.open('carol')];
    carol.close();
    await after(500);
    expect([heard(bob), heard(carol)]).toEqual([[], []]);
    world.broken = false;
    await after(1000);
    expect([heard(bob), heard(carol)]).toEqual([['[carol]'], []]);
  });
});

describe('presence on several nodes', () => {
  it('tells the clients of every node', async () => {
    const { cluster, node, after } = setUp();
    const other = new PresenceNode('n2', cluster);
    const [bob, carol] = [await node.open('bob'), await other.open('carol')];
    const alice = await node.open('alice');
    expect([heard(bob).at(-1), heard(carol).at(-1)]).toEqual(['alice+', 'alice+']);
    alice.close();
    await after(OFFLINE_GRACE_MS, [node, other]);
    expect([heard(bob), heard(carol)]).toEqual([['alice-'], ['alice-']]);
  });

  it('a user is online while any node has a connection of theirs', async () => {
    const { cluster, node, after } = setUp();
    const other = new PresenceNode('n2', cluster);
    const bob = await node.open('bob');
    const [here, there] = [await node.open('alice'), await other.open('alice')];
    heard(bob);
    here.close();
    await after(4 * OFFLINE_GRACE_MS, [node, other]);
    expect(heard(bob)).toEqual([]);
    there.close();
    await after(OFFLINE_GRACE_MS, [node, other]);
    expect(heard(bob)).toEqual(['alice-']);
  });

  it('a crashed node’s users go offline when their leases have run out', async () => {
    const { cluster, node, after, isAlive } = setUp();
    const crashing = new PresenceNode('n2', cluster);
    const bob = await node.open('bob');
    await crashing.open('alice');
    crashing.crash();
    heard(bob);
    await after(PRESENCE_LEASE_MS - 1000);
    expect([heard(bob), await isAlive('alice')]).toEqual([[], true]);
    await after(PRESENCE_LEASE_MS);
    expect([heard(bob), await isAlive('alice')]).toEqual([['alice-'], false]);
  });

  it('two nodes that see the last connections close at the same time say it once', async () => {
    const { cluster, node, after } = setUp();
    const other = new PresenceNode('n2', cluster);
    const bob = await node.open('bob');
    const [here, there] = [await node.open('alice'), await other.open('alice')];
    heard(bob);
    here.close();
    there.close();
    await after(2 * OFFLINE_GRACE_MS, [node, other]);
    expect(heard(bob)).toEqual(['alice-']);
  });
});

describe('leases and last_seen_at', () => {
  it('a lease lasts as long as its connection', async () => {
    const { node, after, isAlive } = setUp();
    const alice = await node.open('alice');
    await after(4 * PRESENCE_LEASE_MS);
    expect(await isAlive('alice')).toBe(true);
    alice.close();
    await after(OFFLINE_GRACE_MS - 500);
    expect(await isAlive('alice')).toBe(true);
    await after(500);
    expect(await isAlive('alice')).toBe(false);
  });

  it('the last lease ends soon although the node crashed within the 5 s', async () => {
    const { clock, node, isAlive } = setUp();
    (await node.open('alice')).close();
    await presenceSettled();
    clock.advance(2 * OFFLINE_GRACE_MS);
    expect(await isAlive('alice')).toBe(false);
  });

  it('notes the moment of the last close and writes all together; what fails is kept', async () => {
    const { clock, node } = setUp();
    const { store, parts } = node;
    const [one, two, bob] = [await node.open('alice'), await node.open('alice'), await node.open('bob')];
    one.close();
    await parts.lastSeen.flush();
    expect(store.written).toEqual([]);
    two.close();
    clock.advance(300);
    bob.close();
    store.broken = true;
    await expect(parts.lastSeen.flush()).rejects.toThrow('away');
    store.broken = false;
    clock.advance(200);
    await parts.lastSeen.flush();
    await parts.lastSeen.flush();
    expect(store.written).toEqual([
      [
        { tenantId: 't1', userId: 'alice', agoMs: 500 },
        { tenantId: 't1', userId: 'bob', agoMs: 200 },
      ],
    ]);
  });
});
