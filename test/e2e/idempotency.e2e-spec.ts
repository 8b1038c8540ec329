import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Answer, type Api, errorOf } from '../support/http/api';
import { createRoom, sendAll } from '../support/rooms';
import { rowsOf } from '../support/database';
import { createKey, keysPath, listKeys, uuidOf } from '../support/tenants';

type Body = Record<string, unknown>;

/** A POST that remembers, with a body, and another body that is good too. */
interface Case {
  readonly path: string;
  readonly status: number;
  readonly body: Body | undefined;
  readonly other: Body;
}

describe('Idempotency-Key', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let keys = 0;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    alice = tenant.as('alice');
  });
  afterAll(() => app.close());

  const newKey = (): string => `key-${++keys}`;
  const keyed = (key: string, client = alice): Api => client.with({ 'idempotency-key': key });
  const replayed = (answer: Answer<unknown>): string | null => answer.headers.get('idempotent-replayed');
  /** Everything that the tenant has, but for the remembered keys themselves. */
  const state = async (): Promise<string[]> =>
    (await rowsOf(app.database, uuidOf(tenant.tenantId))).filter((row) => !row.startsWith('idempotency_keys '));
  const remembered = async (key: string): Promise<number> =>
    (await app.database.sql('SELECT 1 FROM idempotency_keys WHERE key = $1', [key])).length;

  /** Every POST that remembers: a new room with three messages for each test, so that none sees another. */
  const CASES: [string, (roomId: string) => Case][] = [
    ['POST /rooms', () => ({ path: '/rooms', status: 201, body: { type: 'group' }, other: { type: 'channel' } })],
    [
      'POST /rooms/{id}/members',
      (id) => ({
        path: `/rooms/${id}/members`,
        status: 200,
        body: { user_ids: ['carol', 'dave'] },
        other: { user_ids: ['erin'] },
      }),
    ],
    ['POST /rooms/{id}/join', (id) => ({ path: `/rooms/${id}/join`, status: 200, body: undefined, other: { x: 1 } })],
    [
      'POST /acks',
      (id) => ({ path: '/acks', status: 200, body: { room_id: id, seq: 1 }, other: { room_id: id, seq: 2 } }),
    ],
    [
      'POST /reads',
      (id) => ({ path: '/reads', status: 200, body: { room_id: id, seq: 1 }, other: { room_id: id, seq: 2 } }),
    ],
    [
      'POST /rooms/{id}/messages',
      (id) => ({ path: `/rooms/${id}/messages`, status: 201, body: { content: 'one' }, other: { content: 'two' } }),
    ],
    [
      'POST /rooms/{id}/messages with a client_message_id',
      (id) => ({
        path: `/rooms/${id}/messages`,
        status: 201,
        body: { content: 'one', client_message_id: 'c1' },
        other: { content: 'one', client_message_id: 'c2' },
      }),
    ],
  ];

  describe.each(CASES)('%s', (_, make) => {
    let test: Case;

    beforeEach(async () => {
      const { room_id } = await createRoom(tenant.as('founder'), 'channel', ['alice']);
      await tenant.as('founder').patch(`/rooms/${room_id}/members/alice`, { role: 'admin' });
      await sendAll(tenant.as('founder'), room_id, ['a', 'b', 'c']);
      test = make(room_id);
    });

    it('same key and body: the first answer again, and no second effect', async () => {
      const key = newKey();
      const first = await keyed(key).post(test.path, test.body);
      expect([first.status, replayed(first)]).toEqual([test.status, null]);
      const before = await state();
      for (const path of [test.path, `${test.path}/`]) {
        const again = await keyed(key).post(path, test.body);
        expect([again.status, again.body, replayed(again)]).toEqual([first.status, first.body, 'true']);
      }
      expect(await state()).toEqual(before);
    });

    it('another body: 422, and no effect', async () => {
      const key = newKey();
      expect((await keyed(key).post(test.path, test.body)).status).toBe(test.status);
      const before = await state();
      const answer = await keyed(key).post(test.path, test.other);
      // Where there is no body to be another one, the validation may see it first.
      expect([422, ...(test.body === undefined ? [400] : [])]).toContain(answer.status);
      if (answer.status === 422)
        expect(errorOf(answer)).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH', field: 'Idempotency-Key' });
      expect(await state()).toEqual(before);
    });

    it('the order of the body’s keys does not matter', async () => {
      if (test.body === undefined) return;
      const key = newKey();
      await keyed(key).post(test.path, test.body);
      const turned = Object.fromEntries(Object.entries(test.body).reverse());
      expect(replayed(await keyed(key).post(test.path, turned))).toBe('true');
    });

    it('many at once: one effect; each is answered with it, or 409', async () => {
      const key = newKey();
      const before = await state();
      const answers = await Promise.all(Array.from({ length: 12 }, () => keyed(key).post(test.path, test.body)));
      const good = answers.filter((answer) => answer.status === test.status);
      expect(new Set(answers.map((answer) => answer.status))).toEqual(
        new Set([test.status, ...(good.length < answers.length ? [409] : [])]),
      );
      expect(new Set(good.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
      expect(good.filter((answer) => replayed(answer) === null)).toHaveLength(1);
      const after = await state();
      const again = await keyed(key).post(test.path, test.body);
      expect([again.status, replayed(again)]).toEqual([test.status, 'true']);
      expect(await state()).toEqual(after);
      const added = (rows: string[], table: string): number => rows.filter((row) => row.startsWith(`${table} `)).length;
      for (const table of ['rooms', 'messages'])
        expect(added(after, table) - added(before, table)).toBeLessThanOrEqual(1);
    });
  });

  it('is scoped to tenant, user and route', async () => {
    const key = newKey();
    const other = await app.tenant();
    const room = await createRoom(alice, 'channel', ['bob']);
    const answers = [
      await keyed(key).post('/rooms', { type: 'group', name: '1' }),
      await keyed(key, tenant.as('bob')).post('/rooms', { type: 'group', name: '2' }),
      await keyed(key, other.as('alice')).post('/rooms', { type: 'group', name: '3' }),
      await keyed(key).post(`/rooms/${room.room_id}/join`),
      await keyed(key).post(`/rooms/${room.room_id}/messages`, { content: '5' }),
      await keyed(key, tenant.as('bob')).post(`/rooms/${room.room_id}/messages`, { content: '6' }),
    ];
    expect(answers.map((answer) => [answer.status, replayed(answer)])).toEqual([
      [201, null],
      [201, null],
      [201, null],
      [200, null],
      [201, null],
      [201, null],
    ]);
  });

  it('is the same for a user with a token as with an API key', async () => {
    const key = newKey();
    const token = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
    const first = await keyed(key).post('/rooms', { type: 'group' });
    const again = await keyed(key, token).post('/rooms', { type: 'group' });
    expect([again.body, replayed(again)]).toEqual([first.body, 'true']);
  });

  describe('nothing is remembered of', () => {
    it('4xx: the key is free for the next body', async () => {
      const { room_id } = await createRoom(tenant.as('founder'), 'group');
      const attempts: [string, Body, number][] = [
        ['/rooms', { type: 'nonsense' }, 400],
        [`/rooms/${room_id}/messages`, { content: 'x' }, 403],
        [`/rooms/${room_id}/messages`, { content: 'x', client_message_id: 'c' }, 403],
        [`/rooms/${room_id}/members`, { user_ids: ['zoe'] }, 403],
        ['/rooms/room_x/join', {}, 404],
        ['/acks', { room_id, seq: 1 }, 403],
      ];
      for (const [path, body, status] of attempts) {
        const key = newKey();
        expect([path, (await keyed(key).post(path, body)).status]).toEqual([path, status]);
        expect(await remembered(key)).toBe(0);
      }
      const key = newKey();
      expect((await keyed(key).post(`/rooms/${room_id}/messages`, { content: 'early' })).status).toBe(403);
      await tenant.as('founder').post(`/rooms/${room_id}/members`, { user_ids: ['alice'] });
      const later = await keyed(key).post(`/rooms/${room_id}/messages`, { content: 'later' });
      expect([later.status, replayed(later)]).toEqual([201, null]);
    });

    it('a dm that exists (409)', async () => {
      await createRoom(alice, 'dm', ['bob']);
      const key = newKey();
      for (let i = 0; i < 2; i++) {
        const answer = await keyed(key).post('/rooms', { type: 'dm', members: ['bob'] });
        expect([answer.status, replayed(answer)]).toEqual([409, null]);
      }
      expect(await remembered(key)).toBe(0);
    });

    it('an answer that holds a secret: tenants, keys, rotations, tokens, tickets', async () => {
      const own = await app.tenant();
      const { key_id } = await createKey(app, own);
      const key = newKey();
      const calls: [Api, string, Body | undefined][] = [
        [app.master, '/admin/tenants', { name: 'twice' }],
        [app.master, keysPath(own), { name: 'twice' }],
        [app.master, `${keysPath(own)}/${key_id}/rotate`, {}],
        [own.key, '/tokens', { user_id: 'alice' }],
        [own.as('alice'), '/ws/token', undefined],
      ];
      for (const [client, path, body] of calls) {
        const answers = [await keyed(key, client).post(path, body), await keyed(key, client).post(path, body)];
        expect(answers.map((answer) => [path, answer.status < 300, replayed(answer)])).toEqual([
          [path, true, null],
          [path, true, null],
        ]);
        const secrets = answers.map((answer) => answer.body['api_key'] ?? answer.body['token']);
        expect([typeof secrets[0], new Set(secrets).size]).toEqual(['string', 2]);
      }
      expect(await remembered(key)).toBe(0);
      expect(await listKeys(app, own)).toHaveLength(6);
    });

    it('methods other than POST', async () => {
      const { room_id } = await createRoom(alice, 'group');
      const key = newKey();
      for (const name of ['one', 'two'])
        expect((await keyed(key).patch(`/rooms/${room_id}`, { name })).body).toMatchObject({ name });
      expect((await keyed(key).get('/rooms?limit=100&offset=1000')).status).toBe(200);
      expect(await remembered(key)).toBe(0);
    });
  });

  describe('the key itself', () => {
    it.each(['', 'x'.repeat(256), 'ü', 'a\tb'])('%j is refused with 400 on every POST', async (key) => {
      for (const answer of [
        await keyed(key).post('/rooms', { type: 'group' }),
        await keyed(key, tenant.key).post('/tokens', { user_id: 'alice' }),
      ]) {
        expect(answer.status).toBe(400);
        expect(errorOf(answer)).toMatchObject({ code: 'VALIDATION_ERROR', field: 'Idempotency-Key' });
      }
    });

    it.each(['x', 'x'.repeat(255), 'a b,c;d "e"', '42'])('%j is taken', async (key) => {
      expect((await keyed(key).post('/rooms', { type: 'group' })).status).toBe(201);
      expect(replayed(await keyed(key).post('/rooms', { type: 'group' }))).toBe('true');
    });

    it('is free again after 24 hours', async () => {
      const key = newKey();
      const first = await keyed(key).post('/rooms', { type: 'group' });
      await app.database.sql(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key = $1`, [
        key,
      ]);
      const later = await keyed(key).post('/rooms', { type: 'channel' });
      expect([later.status, replayed(later)]).toEqual([201, null]);
      expect(later.body['room_id']).not.toBe(first.body['room_id']);
    });
  });

  describe('on messages', () => {
    let path: string;

    beforeAll(async () => {
      path = `/rooms/${(await createRoom(alice, 'group')).room_id}/messages`;
    });
    const send = (body: Body, key?: string): Promise<Answer> =>
      (key === undefined ? alice : keyed(key)).post(path, body);
    const count = async (): Promise<number> =>
      Number((await alice.get(`${path}?limit=1`)).headers.get('x-total-count'));

    it('binds the message for as long as it exists, also when the key itself is forgotten', async () => {
      const key = newKey();
      const first = await send({ content: 'kept' }, key);
      await app.database.sql('DELETE FROM idempotency_keys WHERE key = $1', [key]);
      const again = await send({ content: 'kept' }, key);
      expect([again.body, replayed(again)]).toEqual([first.body, 'true']);
      expect((await send({ content: 'other' }, key)).status).toBe(422);
    });

    it('with a client_message_id as well, each of the two binds', async () => {
      const key = newKey();
      const body = { content: 'both', client_message_id: key };
      const first = await send(body, key);
      const before = await count();
      const repeats = [await send(body, key), await send(body), await send(body, newKey())];
      expect(repeats.map((answer) => [answer.body, replayed(answer)])).toEqual(
        Array.from({ length: 3 }, () => [first.body, 'true']),
      );
      const others = [
        await send({ ...body, content: 'other' }, key),
        await send({ ...body, client_message_id: 'another' }, key),
        await send({ ...body, meta: {} }, key),
        await send({ content: 'both' }, key),
        await send({ ...body, content: 'other' }),
        await send({ ...body, content: 'other' }, newKey()),
      ];
      expect(others.map((answer) => [answer.status, errorOf(answer).field])).toEqual([
        [422, 'Idempotency-Key'],
        [422, 'Idempotency-Key'],
        [422, 'Idempotency-Key'],
        [422, 'Idempotency-Key'],
        [422, 'client_message_id'],
        [422, 'client_message_id'],
      ]);
      expect(await count()).toBe(before);
    });

    it('a key that was used alone binds a later call with a client_message_id', async () => {
      const key = newKey();
      await send({ content: 'alone' }, key);
      const before = await count();
      expect((await send({ content: 'alone', client_message_id: 'later' }, key)).status).toBe(422);
      expect(await count()).toBe(before);
    });

    it('other bodies with one key at the same time store one message', async () => {
      const key = newKey();
      const before = await count();
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => send({ content: `body ${i}`, client_message_id: `${key}-${i}` }, key)),
      );
      expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array<number>(9).fill(422)]);
      expect(await count()).toBe(before + 1);
    });
  });
});
