import { randomUUID } from 'node:crypto';
import { ManualClock } from '../../src/common/time';
import { encodeId } from '../../src/common/ids';
import { PresenceRepository } from '../../src/modules/rooms/presence/presence.repository';
import { RoomPresenceService } from '../../src/modules/rooms/presence/presence.service';
import { RoomsRepository } from '../../src/modules/rooms/rooms/rooms.repository';
import { TenantsRepository } from '../../src/modules/tenants/tenants.repository';
import { WebhooksRepository } from '../../src/modules/webhooks/webhooks.repository';
import { MemoryLeases } from '../../src/platform/cluster';
import { Presence } from '../../src/realtime';
import { type EffectsFixture, startEffects } from '../support/effects-fixture';

const TTL_MS = 60_000;

describe('presence in the database', () => {
  let harness: EffectsFixture;
  beforeAll(async () => {
    harness = await startEffects();
  });
  afterAll(() => harness.close());

  /** Makes a room with these members, who join in this order. */
  async function room(users: readonly string[], type = 'group'): Promise<string> {
    const roomId = randomUUID();
    const { database, tenantId } = harness;
    await database.sql('SELECT users_ensure($1, $2)', [tenantId, users]);
    await database.sql(
      `INSERT INTO rooms (tenant_id, room_id, type, member_count, members_added) VALUES ($1, $2, $3, $4::integer, $4::integer)`,
      [tenantId, roomId, type, users.length],
    );
    await database.sql(
      `INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
       SELECT $1, $2, u.id, 'member', 0, u.n FROM unnest($3::text[]) WITH ORDINALITY u(id, n)`,
      [tenantId, roomId, users],
    );
    return roomId;
  }

  describe('GET /rooms/{id}/presence', () => {
    function setUp() {
      const { database } = harness.open;
      const leases = new MemoryLeases(new ManualClock());
      const service = new RoomPresenceService(
        new RoomsRepository(database),
        new PresenceRepository(database),
        new Presence(leases, { knowsOnline: () => false }, { isHere: () => false }),
        { canAnswer: () => Promise.resolve(true) },
      );
      const connect = (user: string) => leases.holdLease(`presence:${harness.tenantId}:${user}`, 'conn', TTL_MS);
      const list = (user: string, roomId: string, limit = 50, offset = 0) =>
        service.list(harness.caller('any', 'body', { userId: user }), encodeId('room', roomId), { limit, offset });
      return { connect, list };
    }

    it('lists the members that are online in the order of joining, by pages', async () => {
      const { connect, list } = setUp();
      const roomId = await room(['zoe', 'adam', 'mia', 'ben']);
      for (const user of ['ben', 'adam', 'zoe', 'stranger']) await connect(user);
      const page = { offset: 0, limit: 2, has_more: true };
      expect(await list('mia', roomId, 2)).toEqual({ online: ['zoe', 'adam'], total: 3, ...page });
      expect(await list('mia', roomId, 2, 2)).toEqual({
        online: ['ben'],
        total: 3,
        offset: 2,
        limit: 2,
        has_more: false,
      });
      expect((await list('mia', roomId, 2, 9)).online).toEqual([]);
    });

    it('answers for rooms of any size', async () => {
      const { connect, list } = setUp();
      const users = Array.from({ length: 4001 }, (_, i) => `u${String(i)}`);
      const roomId = await room(users);
      for (const i of [0, 1999, 2000, 4000]) await connect(`u${i}`);
      const [one, two] = await Promise.all([list('u1', roomId), list('u1', roomId)]);
      expect(one).toEqual({
        online: ['u0', 'u1999', 'u2000', 'u4000'],
        total: 4,
        offset: 0,
        limit: 50,
        has_more: false,
      });
      expect(two).toEqual(one);
      await connect('u1');
      expect((await list('u1', roomId)).total).toBe(5);
    });

    it('is for members; for everybody in a channel', async () => {
      const { list } = setUp();
      const [group, channel] = [await room(['alice', 'bob']), await room(['alice'], 'channel')];
      await expect(list('carol', group)).rejects.toMatchObject({ code: 'AUTHORIZATION_ERROR' });
      await expect(list('carol', randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect((await list('carol', channel)).total).toBe(0);
    });
  });

  it('knows the rooms that users share with others, up to a size', async () => {
    const repository = new PresenceRepository(harness.open.database);
    const pair = await room(['p1', 'p2']);
    const trio = await room(['p1', 'p2', 'p3']);
    await room(['p1']);
    const gone = await room(['p1', 'p2']);
    await harness.database.sql('UPDATE rooms SET deleted_at = now() WHERE room_id = $1', [gone]);
    const rooms = async (largest: number): Promise<Record<string, string[]>> => {
      const found = await repository.of(harness.tenantId, ['p1', 'p3', 'nobody'], largest);
      return Object.fromEntries([...found].map(([user, ids]) => [user, ids.sort()]));
    };
    expect(await rooms(2)).toEqual({ p1: [pair] });
    expect(await rooms(3)).toEqual({ p1: [pair, trio].sort(), p3: [trio] });
    expect(await rooms(0)).toEqual({});
    expect(await repository.of(randomUUID(), ['p1'], 3)).toEqual(new Map());
  });

  it('stores when users of several tenants were last connected, and moves no time backwards', async () => {
    const { database, open, tenantId } = harness;
    const repository = new TenantsRepository(
      open.database,
      open.system,
      new WebhooksRepository(open.database, open.system),
    );
    const other = randomUUID();
    await database.sql('INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)', [other, 'other']);
    for (const tenant of [tenantId, other])
      await database.sql('SELECT users_ensure($1, $2)', [tenant, ['seen', 'never']]);
    const before = Date.now();
    await repository.noteSeen([
      { tenantId, userId: 'seen', agoMs: 5000 },
      { tenantId: other, userId: 'seen', agoMs: 0 },
      { tenantId, userId: 'unknown', agoMs: 0 },
    ]);
    const age = async (tenant: string): Promise<number> => {
      const seen = await repository.lastSeen(tenant, ['seen', 'never']);
      expect(seen.get('never')).toBeNull();
      return before - (seen.get('seen')?.getTime() ?? NaN);
    };
    const [own, foreign] = [await age(tenantId), await age(other)];
    // Between the two there is what one statement took; the clocks are the same machine's.
    expect(own - foreign).toBe(5000);
    await repository.noteSeen([{ tenantId, userId: 'seen', agoMs: 60_000 }]);
    expect(await age(tenantId)).toBe(own);
    await repository.noteSeen([{ tenantId, userId: 'seen', agoMs: 0 }]);
    expect(await age(tenantId)).toBeLessThan(own);
  });
});
