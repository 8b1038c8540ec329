import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Answer, errorOf } from '../support/http/api';
import { createRoom } from '../support/rooms';
import { documentedPaths, documentedRoutes } from '../support/documented-routes';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** A path that is written out is also one of a route with an id in its place. */
function covers(pattern: string, path: string): boolean {
  return new RegExp(`^${pattern.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path);
}

describe('headers and routes', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  /** One answer of each kind, with these headers. */
  async function samples(headers: Record<string, string>): Promise<Answer<unknown>[]> {
    const alice = tenant.as('alice').with(headers);
    return [
      await tenant.as('dora').with(headers).get('/rooms'),
      await alice.post('/rooms', { type: 'group' }),
      await alice.get('/rooms?limit=0'),
      await app.anonymous.with(headers).get('/rooms'),
      await alice.get('/admin/tenants'),
      await alice.get('/rooms/nonsense'),
      await alice.get('/nowhere'),
      await alice.call('PUT', '/rooms'),
      await alice.get('/rooms/%zz'),
      await app.anonymous.with(headers).get('/health'),
    ];
  }

  it('ruling 48: no route sets a cookie, whoever asks', async () => {
    const documents = ['/docs', '/docs/', '/docs/ws', '/docs-json', '/openapi.json', '/asyncapi.json'];
    const pages = ['/', '/admin/ui', '/playground', '/favicon.svg', '/llms.txt', ...documents, '/nowhere'];
    const routes = [...documentedRoutes(), ...pages.map((path) => ({ method: 'GET', path }))];
    expect(routes.length).toBeGreaterThan(50);
    const cookies = { cookie: 'session=1', accept: 'text/html,application/json' };
    for (const { method, path } of routes) {
      const url = `${app.url}${path.replaceAll(/\{[^}]+\}/g, 'x')}`;
      for (const headers of [cookies, { ...cookies, 'x-api-key': tenant.apiKey, 'x-user-id': 'alice' }]) {
        const body = ['GET', 'DELETE'].includes(method) ? {} : { body: '{}' };
        const answer = await fetch(url, {
          method,
          headers: { ...headers, 'content-type': 'application/json' },
          ...body,
        });
        await answer.body?.cancel();
        expect([method, path, answer.headers.getSetCookie()]).toEqual([method, path, []]);
      }
    }
  });

  describe('X-Request-Id', () => {
    it.each(['a', '0190-abc.DEF_1:~', 'x'.repeat(128)])('%s is taken and given back, in errors too', async (id) => {
      const answers = await samples({ 'x-request-id': id });
      expect(answers.map((answer) => answer.status)).toEqual([200, 201, 400, 401, 403, 404, 404, 405, 400, 200]);
      for (const answer of answers) {
        expect(answer.headers.get('x-request-id')).toBe(id);
        if (answer.status >= 400) expect(errorOf(answer).request_id).toBe(id);
      }
    });

    it.each(['', 'a b', 'ü', 'x'.repeat(129), '{"a":1}', 'a,b', '../etc'])(
      '%j is replaced by one of ours',
      async (id) => {
        for (const answer of await samples({ 'x-request-id': id })) {
          expect(answer.headers.get('x-request-id')).toMatch(UUID);
          if (answer.status >= 400) expect(errorOf(answer).request_id).toBe(answer.headers.get('x-request-id'));
        }
      },
    );

    it('is new for every request', async () => {
      const ids = (await samples({})).map((answer) => answer.headers.get('x-request-id'));
      expect(new Set(ids).size).toBe(ids.length);
    });
  });

  it('every answer with a body is JSON in UTF-8', async () => {
    for (const answer of await samples({}))
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it.each(['/nowhere', '/rooms/x/y/z', '/admin', '/docs-', '/ROOMS'])(
    '%s does not exist and is 404, whoever asks',
    async (path) => {
      for (const client of [app.anonymous, tenant.as('alice'), app.master]) {
        const answer = await client.get(path);
        expect([answer.status, errorOf(answer)]).toEqual([
          404,
          expect.objectContaining({ code: 'NOT_FOUND', message: 'Route not found' }),
        ]);
      }
    },
  );

  it('a method that a route does not have is 405, and Allow lists those it has', async () => {
    const known = documentedRoutes();
    for (const path of new Set(known.map((route) => route.path))) {
      const has = [...new Set(known.filter((route) => covers(route.path, path)).map((route) => route.method))];
      const allow = (has.includes('GET') ? [...has, 'HEAD'] : has).sort().join(', ');
      for (const method of METHODS.filter((m) => !has.includes(m)))
        for (const slash of ['', '/']) {
          const answer = await app.anonymous.call(method, path.replace(/\{[^}]+\}/g, 'x') + slash);
          expect([method, path, answer.status, answer.headers.get('allow')]).toEqual([method, path, 405, allow]);
          expect(errorOf(answer).code).toBe('METHOD_NOT_ALLOWED');
        }
    }
  });

  it('a trailing slash is accepted on every route', async () => {
    for (const { method, path } of documentedRoutes()) {
      const plain = path.replace(/\{[^}]+\}/g, 'x');
      const statuses = [
        (await app.anonymous.call(method, plain)).status,
        (await app.anonymous.call(method, `${plain}/`)).status,
        (await app.anonymous.call(method, `${plain}/?a=1`)).status,
      ];
      expect([method, path, ...statuses]).toEqual([method, path, statuses[0], statuses[0], statuses[0]]);
      expect([200, 401]).toContain(statuses[0]);
    }
    expect((await tenant.as('alice').post('/rooms/', { type: 'group' })).status).toBe(201);
  });

  it('HEAD answers like GET, without a body', async () => {
    for (const [{ headers }, status] of [
      [tenant.as('dora'), 200],
      [app.anonymous, 401],
    ] as const) {
      const answer = await fetch(`${app.url}/rooms`, { method: 'HEAD', headers });
      expect([answer.status, await answer.text()]).toEqual([status, '']);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });

  it('an id that is too long is one that does not exist', async () => {
    const { room_id } = await createRoom(tenant.as('alice'), 'group');
    for (const path of [`/rooms/${'x'.repeat(5000)}`, `/rooms/${room_id}/messages/${'y'.repeat(5000)}`])
      expect((await tenant.as('alice').get(path)).status).toBe(404);
    expect((await tenant.as('alice').delete(`/rooms/${room_id}/members/${'%C3%BC'.repeat(500)}`)).status).toBe(404);
  });

  it('paths are documented without a trailing slash', () => {
    expect(documentedPaths().filter((path) => path.endsWith('/'))).toEqual([]);
  });

  describe('X-Response-Format', () => {
    it('envelope wraps successes, bare does not, errors are the same', async () => {
      const dora = tenant.as('dora');
      const plain = await dora.get('/rooms');
      const wrapped = await dora.with({ 'x-response-format': 'envelope' }).get('/rooms');
      expect(wrapped.body).toEqual({ success: true, data: plain.body, error: null });
      expect((await dora.with({ 'x-response-format': 'bare' }).get('/rooms')).body).toEqual(plain.body);
      expect((await dora.with({ 'x-response-format': 'nonsense' }).get('/rooms')).body).toEqual(plain.body);
      const error = await dora.with({ 'x-response-format': 'envelope' }).get('/rooms/nonsense');
      expect(Object.keys(error.body)).toEqual(['success', 'data', 'error']);
    });

    it('leaves health bare and 204 empty', async () => {
      const wrap = { 'x-response-format': 'envelope' };
      expect((await app.anonymous.with(wrap).get('/health')).body).toHaveProperty('db_writable');
      const { room_id } = await createRoom(tenant.as('alice'), 'group');
      const gone = await tenant.as('alice').with(wrap).delete<string>(`/rooms/${room_id}`);
      expect([gone.status, gone.body]).toEqual([204, '']);
    });
  });
});
