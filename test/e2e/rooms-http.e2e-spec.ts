import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Api, errorOf } from '../support/http/api';
import { bodyOf, createRoom, type MemberBody, type RoomBody, sendAll } from '../support/rooms';

interface Enveloped<T> {
  readonly success: boolean;
  readonly data: T;
  readonly error: null;
}

const ENVELOPE = { 'x-response-format': 'envelope' };
const BARE = { 'x-response-format': 'bare' };

describe('HTTP of the room routes', () => {
  let app: TestApp;
  let bare: TestTenant;
  let enveloped: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    bare = await app.tenant();
    enveloped = await app.tenant(undefined, { response_format: 'envelope' });
  });
  afterAll(() => app.close());

  /** A channel of alice and bob with two messages. */
  const channel = async (alice: Api): Promise<string> => {
    const { room_id } = await createRoom(alice.with(BARE), 'channel', ['bob']);
    await sendAll(alice.with(BARE), room_id, ['one', 'two']);
    return room_id;
  };

  describe('response formats', () => {
    it.each([
      ['bare without a word', () => bare.as('alice'), false],
      ['enveloped by the header', () => bare.as('alice').with(ENVELOPE), true],
      ['enveloped by the tenant’s setting', () => enveloped.as('alice'), true],
      ['bare by the header against the setting', () => enveloped.as('alice').with(BARE), false],
      ['bare where the header says neither', () => bare.as('alice').with({ 'x-response-format': 'xml' }), false],
    ] as const)('are %s', async (_how, client, isEnveloped) => {
      const alice = client();
      const room_id = await channel(alice);
      const answers = [
        await alice.get('/rooms'),
        await alice.get('/rooms?scope=joinable'),
        await alice.get(`/rooms/${room_id}`),
        await alice.patch(`/rooms/${room_id}`, { name: 'n' }),
        await alice.get(`/rooms/${room_id}/members`),
        await alice.post(`/rooms/${room_id}/members`, { user_ids: ['carol'] }),
        await alice.patch(`/rooms/${room_id}/members/carol`, { role: 'admin' }),
        await alice.post(`/rooms/${room_id}/join`),
        await alice.post('/acks', { room_id, seq: 1 }),
        await alice.post('/reads', { room_id, seq: 1 }),
        await alice.post('/rooms', { type: 'group' }),
      ];
      for (const { status, body } of answers) {
        expect([200, 201]).toContain(status);
        if (isEnveloped) expect(body).toEqual({ success: true, data: expect.anything(), error: null });
        else expect(body).not.toHaveProperty('data');
      }
    });

    it('hold the same things, bare and enveloped', async () => {
      const alice = bare.as('alice');
      const room_id = await channel(alice);
      for (const path of ['/rooms', `/rooms/${room_id}`, `/rooms/${room_id}/members`]) {
        const plain = await alice.get(path);
        const wrapped = await alice.with(ENVELOPE).get<Enveloped<unknown>>(path);
        expect(wrapped.body.data).toEqual(plain.body);
        expect(wrapped.headers.get('x-total-count')).toBe(plain.headers.get('x-total-count'));
      }
      const acked = await alice.with(ENVELOPE).post<Enveloped<unknown>>('/acks', { room_id, seq: 1 });
      expect(acked.body).toEqual({ success: true, data: { success: true }, error: null });
      const plain = await alice.post('/reads', { room_id, seq: 1 });
      expect(plain.body).toEqual({ success: true });
    });

    it('leave empty answers empty and errors in their one shape', async () => {
      const alice = enveloped.as('alice');
      const room_id = await channel(alice);
      const left = await enveloped.as('bob').delete(`/rooms/${room_id}/members/bob`);
      expect([left.status, left.body]).toEqual([204, '']);
      const refused = await enveloped.as('bob').post('/acks', { room_id, seq: 1 });
      expect(refused.body).toEqual({
        success: false,
        data: null,
        error: { ...errorOf(refused), code: 'AUTHORIZATION_ERROR' },
      });
      const deleted = await alice.delete(`/rooms/${room_id}`);
      expect([deleted.status, deleted.body]).toEqual([204, '']);
    });
  });

  describe('trailing slashes', () => {
    it('are taken on every route', async () => {
      const alice = bare.as('alice');
      const created = bodyOf(await alice.post<RoomBody>('/rooms/', { type: 'channel', members: ['bob'] }), 201);
      const { room_id } = created;
      const path = `/rooms/${room_id}`;
      expect(bodyOf(await alice.get<RoomBody>(`${path}/`))).toEqual(created);
      bodyOf(await alice.get('/rooms/?limit=1&scope=joinable'));
      bodyOf(await alice.patch(`${path}/`, { name: 'n' }));
      expect(bodyOf(await alice.get<MemberBody[]>(`${path}/members/?limit=1`))).toHaveLength(1);
      bodyOf(await alice.post(`${path}/members/`, { user_ids: ['carol'] }));
      bodyOf(await alice.patch(`${path}/members/carol/`, { role: 'admin' }));
      bodyOf(await alice.delete(`${path}/members/carol/`), 204);
      bodyOf(await bare.as('dave').post(`${path}/join/`));
      bodyOf(await alice.post('/acks/', { room_id, seq: 0 }));
      bodyOf(await alice.post('/reads/', { room_id, seq: 0 }));
      bodyOf(await alice.delete(`${path}/`), 204);
    });

    it('name the same route to an Idempotency-Key', async () => {
      const alice = bare.as('alice');
      const headers = { 'idempotency-key': 'one room' };
      const first = await alice.post<RoomBody>('/rooms', { type: 'group' }, { headers });
      const again = await alice.post<RoomBody>('/rooms/', { type: 'group' }, { headers });
      expect(bodyOf(again, 201)).toEqual(first.body);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    });
  });

  describe('HEAD', () => {
    it('answers like GET, without a body', async () => {
      const alice = bare.as('alice');
      const room_id = await channel(alice);
      const head = (path: string, user = 'alice'): Promise<Response> =>
        fetch(app.url + path, { method: 'HEAD', headers: { ...bare.as(user).headers } });
      for (const path of ['/rooms', '/rooms/', `/rooms/${room_id}`, `/rooms/${room_id}/members`]) {
        const answer = await head(path);
        expect([path, answer.status, await answer.text()]).toEqual([path, 200, '']);
        expect(answer.headers.get('x-request-id')).toBeTruthy();
      }
      expect((await head(`/rooms/${room_id}/members`)).headers.get('x-total-count')).toBe('2');
      const group = await createRoom(alice, 'group');
      expect((await head(`/rooms/${group.room_id}`, 'stranger')).status).toBe(403);
      expect((await head('/rooms/room_unknown')).status).toBe(404);
      expect((await head('/rooms?limit=0')).status).toBe(400);
      expect((await fetch(`${app.url}/rooms`, { method: 'HEAD' })).status).toBe(401);
    });
  });

  it.each([
    ['PUT', '/rooms'],
    ['DELETE', '/rooms'],
    ['POST', '/rooms/room_1'],
    ['GET', '/rooms/room_1/join'],
    ['PATCH', '/rooms/room_1/members'],
    ['GET', '/acks'],
    ['PATCH', '/reads'],
  ])('%s %s is a method that the route does not have', async (method, path) => {
    const answer = await bare.as('alice').call(method, path);
    expect([answer.status, errorOf(answer).code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(answer.headers.get('allow')).toMatch(/[A-Z]+/);
  });

  it('needs a credential and a user on every route', async () => {
    const calls: [string, string][] = [
      ['POST', '/rooms'],
      ['GET', '/rooms'],
      ['GET', '/rooms/room_1'],
      ['PATCH', '/rooms/room_1'],
      ['DELETE', '/rooms/room_1'],
      ['GET', '/rooms/room_1/members'],
      ['POST', '/rooms/room_1/members'],
      ['PATCH', '/rooms/room_1/members/bob'],
      ['DELETE', '/rooms/room_1/members/bob'],
      ['POST', '/rooms/room_1/join'],
      ['POST', '/acks'],
      ['POST', '/reads'],
    ];
    for (const client of [app.anonymous, bare.key])
      for (const [method, path] of calls) {
        const answer = await client.call(method, path);
        expect([method, path, answer.status]).toEqual([method, path, 401]);
      }
  });
});
