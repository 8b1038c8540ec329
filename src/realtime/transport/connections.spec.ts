import { encodeId, newUuid } from '../../common/ids';
import { AppError } from '../../common/errors';
import type { Caller } from '../../platform/auth';
import { MemoryPlaces, type Places } from '../../platform/cluster';
import { ByUser, Connections, Reservation } from './connections';
import type { SocketEndpoint } from './endpoint';
import type { SocketConnection } from './socket-connection';

interface Thing {
  readonly tenantId: string;
  readonly userId: string;
  readonly n: number;
}

const thing = (tenantId: string, userId: string, n: number): Thing => ({ tenantId, userId, n });

/** As an upgrade has taken it. */
function placeFor(places: Places, { endpoint, tenantId, userId }: SocketConnection): Reservation {
  const owner = { where: endpoint.path, tenantId, userId };
  void places.take(owner, { tenant: null, user: null });
  return new Reservation(places, owner);
}

function visited(go: (visit: (item: Thing) => void) => void): Thing[] {
  const all: Thing[] = [];
  go((item) => all.push(item));
  return all;
}

describe('Connections', () => {
  it('says how many are open by path, in all and of a tenant', () => {
    const places = new MemoryPlaces();
    const connections = new Connections(places);
    const open = (tenantId: string, path: string): SocketConnection => {
      const connection = { tenantId, userId: 'alice', endpoint: { path } } as SocketConnection;
      connections.add(connection, placeFor(places, connection));
      return connection;
    };
    expect([connections.byPath(), connections.byPath('t')]).toEqual([{}, {}]);
    const first = open('t', '/ws');
    open('t', '/ws/chat');
    open('u', '/ws');
    expect(connections.byPath()).toEqual({ '/ws': 2, '/ws/chat': 1 });
    expect(connections.byPath('t')).toEqual({ '/ws': 1, '/ws/chat': 1 });
    expect(connections.byPath('u')).toEqual({ '/ws': 1, '/ws/chat': 0 });
    connections.remove(first);
    connections.remove(first);
    expect(connections.byPath()).toEqual({ '/ws': 1, '/ws/chat': 1 });
    expect(connections.byPath('t')).toEqual({ '/ws': 0, '/ws/chat': 1 });
  });
});

describe('who may have a connection more', () => {
  const endpoint = { path: '/ws', tenantLimit: 'ws_connections', userLimit: 'ws_connections_per_user' };
  const at = endpoint as unknown as SocketEndpoint;
  const limits = { ws_connections: 3, ws_connections_per_user: 2 };
  const caller = (userId: string): Caller => ({ tenantId: 't', userId, tenant: { limits } }) as unknown as Caller;

  function refusal(connections: Connections, userId: string): unknown {
    try {
      void connections.reserve(caller(userId), at);
      return undefined;
    } catch (error) {
      expect(() => connections.admit(caller(userId), at)).toThrow(AppError);
      return error instanceof AppError ? error.details : error;
    }
  }

  it('is who has a place, which comes free where no connection comes of it and when the connection is over', async () => {
    const connections = new Connections(new MemoryPlaces());
    const place = await connections.reserve(caller('alice'), at);
    expect(refusal(connections, 'alice')).toBeUndefined();
    expect(refusal(connections, 'alice')).toEqual({ limit: 'ws_connections_per_user' });
    expect(refusal(connections, 'bob')).toBeUndefined();
    expect(refusal(connections, 'bob')).toEqual({ limit: 'ws_connections' });
    expect([connections.placesTaken('t', at), connections.placesTaken('t', at, 'alice')]).toEqual([3, 2]);
    place.release();
    place.release();
    expect([connections.placesTaken('t', at), connections.placesTaken('t', at, 'alice')]).toEqual([2, 1]);
    const connection = { tenantId: 't', userId: 'alice', endpoint: at } as SocketConnection;
    const taken = await connections.reserve(caller('alice'), at);
    connections.add(connection, taken);
    taken.release();
    expect(refusal(connections, 'bob')).toEqual({ limit: 'ws_connections' });
    connections.remove(connection);
    connections.remove(connection);
    expect(refusal(connections, 'bob')).toBeUndefined();
  });

  it('is whoever asks where the tenant has no limits', () => {
    const connections = new Connections(new MemoryPlaces());
    const free = { tenantId: 't', userId: 'alice', tenant: undefined } as unknown as Caller;
    for (let i = 0; i < 100; i++) expect(connections.reserve(free, at)).toBeInstanceOf(Reservation);
  });
});

describe('ByUser', () => {
  const [a1, a2, a3, b1, other] = [
    thing('t', 'alice', 1),
    thing('t', 'alice', 2),
    thing('t', 'alice', 3),
    thing('t', 'bob', 1),
    thing('u', 'alice', 1),
  ] as const;

  it('keeps what each user has apart, in the order of adding', () => {
    const things = new ByUser<Thing>();
    for (const each of [a1, b1, a2, other, a3]) things.add(each);
    expect(things.ofUser('t', 'alice')).toEqual([a1, a2, a3]);
    expect(things.ofUser('t', 'bob')).toEqual([b1]);
    expect(things.ofUser('u', 'alice')).toEqual([other]);
    expect(visited((visit) => things.forEach(visit))).toEqual([a1, a2, a3, b1, other]);
    expect([...things.firsts()]).toEqual([a1, b1, other]);
    expect(things.anyOf('t')).toBe(a1);
  });

  it('forgets users and tenants that have nothing left', () => {
    const things = new ByUser<Thing>();
    for (const each of [a1, a2, a3, other]) things.add(each);
    things.delete(a2);
    things.delete(a2);
    expect(things.ofUser('t', 'alice')).toEqual([a1, a3]);
    things.delete(a1);
    things.delete(a3);
    expect([things.ofUser('t', 'alice'), things.has('t', 'alice'), things.anyOf('t')]).toEqual([[], false, undefined]);
    things.delete(other);
    things.delete(other);
    expect(visited((visit) => things.forEach(visit))).toEqual([]);
  });

  it('lists users one after the other while others come and go', () => {
    const things = new ByUser<Thing>();
    things.add(a1);
    things.add(b1);
    const users = things.firsts();
    expect(users.next().value).toBe(a1);
    things.delete(b1);
    things.add(other);
    expect([...users]).toEqual([other]);
  });
});

describe('the list of open connections', () => {
  const COUNT = 10_000;
  const places = new MemoryPlaces();
  const connections = new Connections(places);
  const opened: string[] = [];
  let looks = 0;

  beforeAll(() => {
    for (let i = 0; i < COUNT; i++) {
      const id = encodeId('connection', newUuid());
      opened.push(id);
      const connection = { tenantId: i % 2 === 0 ? 't' : 'u', userId: `user${i % 100}`, endpoint: { path: '/ws' } };
      Object.defineProperty(connection, 'id', { get: () => (looks++, id) });
      const open = connection as unknown as SocketConnection;
      connections.add(open, placeFor(places, open));
    }
  });
  beforeEach(() => (looks = 0));

  function page(after?: string, userId?: string): (string | undefined)[] {
    const found = connections.pageOf('t', userId, after, 51);
    const before = looks;
    const ids = found.map(({ id }) => id);
    looks = before;
    return ids;
  }

  it('has every one of a tenant once, in the order in which they came', () => {
    const seen: (string | undefined)[] = [];
    for (let next = page(); next.length > 0; next = page(next.at(-1))) seen.push(...next);
    expect(seen).toEqual(opened.filter((_, i) => i % 2 === 0));
  });

  it('looks at what it shows and walks past what comes before: no more, and nothing twice', () => {
    expect(page()).toHaveLength(51);
    expect(looks).toBe(0);
    expect(page(opened[2 * 4900])).toHaveLength(51);
    expect(looks).toBe(4901 + 51);
  });

  it('has those of one user', () => {
    const own = page(undefined, 'user4');
    expect(own).toEqual(opened.filter((_, i) => i % 100 === 4).slice(0, 51));
    expect(page(undefined, 'user5')).toEqual([]);
  });

  it('finds one of its tenant alone', () => {
    const [first = ''] = opened;
    expect(connections.find('t', first)?.id).toBe(first);
    expect(connections.find('u', first)).toBeUndefined();
    expect(connections.find('t', 'conn_none')).toBeUndefined();
  });
});
