import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { errorOf } from '../support/http/api';
import { listSeqs, pathOf, post } from '../support/messages';
import { until } from '../support/poll';
import {
  badField,
  bodyOf,
  createRoom,
  FORBIDDEN,
  getRoom,
  listedRoom,
  NOT_FOUND,
  refusal,
  type RoomBody,
  sendAll,
} from '../support/rooms';
import { createKey, uuidOf, withKey } from '../support/tenants';
import { WsClient } from '../support/ws/client';

const DAYS = 30;

describe('retention', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let room: RoomBody;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    tenant = await app.tenant();
    room = await createRoom(tenant.as('ann'), 'group', ['ben']);
  });

  const roomPath = (): string => `/admin/rooms/${room.room_id}`;
  const settings = (of: object): Promise<object> =>
    tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { settings: of }).then((answer) => bodyOf(answer));
  /** The room's messages up to a seq were sent so many days ago. */
  const age = (through: number, days = DAYS + 1): Promise<object[]> =>
    app.database.sql(
      'UPDATE messages SET created_at = created_at - make_interval(days => $3) WHERE room_id = $1 AND seq <= $2',
      [uuidOf(room.room_id), through, days],
    );
  const stored = (): Promise<{ seq: number }[]> =>
    app.database.sql('SELECT seq::int FROM messages WHERE room_id = $1 ORDER BY seq', [uuidOf(room.room_id)]);
  const begins = (at: number): Promise<unknown> =>
    until(
      async () => [(await getRoom(tenant.as('ann'), room.room_id)).first_seq, (await stored())[0]?.seq],
      ([first, oldest]) => first === at && (oldest === undefined || oldest === at),
    );
  const connect = (userId: string): Promise<WsClient> =>
    WsClient.connect(app.url, { headers: { 'x-api-key': tenant.apiKey, 'x-user-id': userId } });

  it('takes what is older from everybody, live and in every answer, soon after it is set', async () => {
    const [, second] = await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3']);
    const ben = await connect('ben');
    await age(2);
    await settings({ retention_days: DAYS });
    const told = await ben.frame('room.trimmed');
    expect(told).toMatchObject({ room_id: room.room_id, first_seq: 3, rev: 4 });
    await begins(3);
    const by = tenant.as('ben');
    expect(await listSeqs(by, room.room_id)).toEqual({ seqs: [3], total: 1 });
    expect(await listedRoom(by, room.room_id)).toMatchObject({ first_seq: 3, unread_count: 1 });
    expect(refusal(await by.get(pathOf(room.room_id, second ?? { message_id: '' })))).toEqual(NOT_FOUND);
    ben.ws.terminate();
  });

  it('empties a room, which shows no last message then', async () => {
    await sendAll(tenant.as('ann'), room.room_id, ['1', '2']);
    await age(2);
    bodyOf(await tenant.key.patch(roomPath(), { retention_days: DAYS }));
    await begins(3);
    expect(await listedRoom(tenant.as('ben'), room.room_id)).toMatchObject({ unread_count: 0, last_message: null });
  });

  it('resets a sync and the changes from a revision whose followers are kept no more', async () => {
    await sendAll(tenant.as('ann'), room.room_id, ['1']);
    for (const name of ['one', 'two']) bodyOf(await tenant.as('ann').patch(`/rooms/${room.room_id}`, { name }));
    await app.database.sql(
      'UPDATE room_events SET created_at = created_at - make_interval(days => $2) WHERE room_id = $1',
      [uuidOf(room.room_id), DAYS + 1],
    );
    await settings({ retention_days: DAYS });
    const changes = (rev: number): Promise<object> =>
      tenant
        .as('ben')
        .get(`/rooms/${room.room_id}/changes?after_rev=${rev}`)
        .then((answer) => bodyOf(answer));
    await until(
      () => changes(2),
      (answer) => 'reset' in answer,
    );
    expect(await changes(2)).toMatchObject({ changes: [], first_rev: 3, reset: true });
    expect(await changes(3)).toMatchObject({ changes: [], first_rev: 3 });
    const ben = await connect('ben');
    const sync = async (after_rev: number): Promise<unknown[]> => {
      ben.send({ type: 'sync', request_id: `${after_rev}`, room_id: room.room_id, after_seq: 1, after_rev });
      await ben.frame((frame) => frame.type === 'sync.complete' && frame['request_id'] === `${after_rev}`);
      return ben.got('sync.reset').map((frame) => frame['request_id']);
    };
    expect(await sync(3)).toEqual([]);
    expect(await sync(2)).toEqual(['2']);
    ben.ws.terminate();
  });

  describe('a hold', () => {
    it('of a room keeps everything, and what is deleted hidden', async () => {
      const [first] = await sendAll(tenant.as('ann'), room.room_id, ['a secret', '2']);
      await age(2);
      const held = { legal_hold: true, retention_days: DAYS };
      expect(bodyOf(await tenant.key.patch(roomPath(), held))).toEqual({ room_id: room.room_id, ...held });
      const path = pathOf(room.room_id, first ?? { message_id: '' });
      bodyOf(await tenant.as('ann').delete(path), 204);
      const shown = bodyOf(await tenant.as('ben').get(path));
      expect(shown).toMatchObject({ content: '', seq: 1 });
      const kept = await app.database.sql('SELECT content FROM held_messages WHERE room_id = $1', [
        uuidOf(room.room_id),
      ]);
      expect(kept).toEqual([{ content: 'a secret' }]);
      // The job of the change has had its turn: it is put off.
      await until(
        () =>
          app.database.sql(
            `SELECT 1 FROM jobs WHERE tenant_id = $1 AND kind = 'retention' AND run_at > clock_timestamp() + interval '50 minutes'`,
            [uuidOf(tenant.tenantId)],
          ),
        (jobs) => jobs.length === 1,
      );
      expect(await getRoom(tenant.as('ann'), room.room_id)).toMatchObject({ first_seq: 1 });
      bodyOf(await tenant.key.patch(roomPath(), { legal_hold: false }));
      await begins(3);
      await until(
        () => app.database.sql('SELECT 1 FROM held_messages WHERE room_id = $1', [uuidOf(room.room_id)]),
        (rows) => rows.length === 0,
      );
    });

    it('of a user stops the beginning at their oldest message', async () => {
      await sendAll(tenant.as('ann'), room.room_id, ['1']);
      await sendAll(tenant.as('ben'), room.room_id, ['2']);
      await sendAll(tenant.as('ann'), room.room_id, ['3']);
      await age(3);
      const answer = await app.master.patch(`/admin/users/ben?tenant_id=${tenant.tenantId}`, { legal_hold: true });
      expect(bodyOf(answer)).toEqual({ user_id: 'ben', legal_hold: true });
      await settings({ retention_days: DAYS });
      await begins(2);
      bodyOf(await tenant.key.patch('/admin/users/ben', { legal_hold: false }));
      await begins(4);
    });

    it('lasts when the room is deleted', async () => {
      bodyOf(await tenant.key.patch(roomPath(), { legal_hold: true }));
      bodyOf(await tenant.as('ann').delete(`/rooms/${room.room_id}`), 204);
      expect(bodyOf(await tenant.key.patch(roomPath(), { retention_days: 5 }))).toMatchObject({ legal_hold: true });
    });
  });

  it('keeps what is said afterwards, with a client id that was used before', async () => {
    const body = { content: 'again', client_message_id: 'one' };
    bodyOf(await post(tenant.as('ann'), room.room_id, body), 201);
    await age(1);
    await settings({ retention_days: DAYS });
    await begins(2);
    expect(bodyOf(await post(tenant.as('ann'), room.room_id, body), 201)).toMatchObject({ seq: 2 });
    expect(await listSeqs(tenant.as('ben'), room.room_id)).toEqual({ seqs: [2], total: 1 });
  });

  it('is a setting like the others: null goes back to for ever', async () => {
    const path = `/admin/tenants/${tenant.tenantId}`;
    await settings({ retention_days: 3650 });
    const shown = async (): Promise<unknown> =>
      bodyOf(await tenant.key.get<{ effective: { settings: object } }>(path)).effective.settings;
    expect(await shown()).toMatchObject({ retention_days: { value: 3650, default: null, source: 'tenant' } });
    await settings({ retention_days: null });
    expect(await shown()).toMatchObject({ retention_days: { value: null, default: null, source: 'default' } });
  });

  describe('bad input', () => {
    it.each([
      ['0 days', { retention_days: 0 }, 'retention_days'],
      ['too many days', { retention_days: 3651 }, 'retention_days'],
      ['half a day', { retention_days: 1.5 }, 'retention_days'],
      ['days as text', { retention_days: '30' }, 'retention_days'],
      ['a hold that is null, as if it were not sent', { legal_hold: null }, 'retention_days'],
      ['a hold as text', { legal_hold: 'true' }, 'legal_hold'],
      ['nothing', {}, 'retention_days'],
      ['something else', { retention: 1 }, 'retention'],
    ])('of a room: %s is refused, and changes nothing', async (_, body, field) => {
      expect(refusal(await tenant.key.patch(roomPath(), body))).toEqual(badField(field));
      const rows = await app.database.sql('SELECT retention_days, legal_hold FROM rooms WHERE room_id = $1', [
        uuidOf(room.room_id),
      ]);
      expect(rows).toEqual([{ retention_days: null, legal_hold: false }]);
    });

    it.each([
      ['nothing', {}],
      ['null', { legal_hold: null }],
      ['text', { legal_hold: 'yes' }],
    ])('of a user: %s is refused', async (_, body) => {
      expect(refusal(await tenant.key.patch('/admin/users/ben', body))).toEqual(badField('legal_hold'));
    });

    it.each([0, 3651, 1.5, '30'])('of a tenant: %p days are refused', async (retention_days) => {
      const answer = await tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { retention_days } });
      expect(refusal(answer)).toEqual(badField('settings.retention_days'));
    });

    it('finds no room and no user that are not there, or whose id is none', async () => {
      const nobody = `/admin/rooms/room_${'0'.repeat(32)}`;
      for (const path of [nobody, '/admin/rooms/nonsense'])
        expect(refusal(await tenant.key.patch(path, { legal_hold: true }))).toEqual(NOT_FOUND);
      for (const user of ['nobody', 'a,b', 'agent_x'])
        expect(refusal(await tenant.key.patch(`/admin/users/${user}`, { legal_hold: true }))).toEqual(NOT_FOUND);
    });
  });

  it('is for administrators: the master key, which says whose it is, and admin keys of the tenant', async () => {
    const foreign = await app.tenant();
    const { api_key } = await createKey(app, tenant, { scopes: ['chat'] });
    const { token } = await mintToken(tenant.key, 'ann');
    for (const [path, body] of [
      [roomPath(), { retention_days: DAYS }],
      ['/admin/users/ben', { legal_hold: true }],
    ] as const) {
      const patch = (by: TestTenant['key'], query = ''): ReturnType<typeof by.patch> => by.patch(path + query, body);
      expect(refusal(await patch(app.master))).toEqual(badField('tenant_id'));
      expect(refusal(await patch(foreign.key))).toEqual(NOT_FOUND);
      expect(refusal(await patch(foreign.key, `?tenant_id=${tenant.tenantId}`))).toEqual(NOT_FOUND);
      expect(refusal(await patch(app.master, `?tenant_id=${foreign.tenantId}`))).toEqual(NOT_FOUND);
      for (const by of [withKey(app, api_key), bearer(app.anonymous, token)])
        expect(refusal(await patch(by))).toEqual(FORBIDDEN);
      expect(errorOf(await patch(app.anonymous)).code).toBe('AUTHENTICATION_ERROR');
      bodyOf(await patch(app.master, `?tenant_id=${tenant.tenantId}`));
      bodyOf(await patch(tenant.key));
    }
  });
});
