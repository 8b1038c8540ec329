import { startTestApp, type TestApp } from '../support/app';
import { errorOf } from '../support/http/api';
import { documentedPaths } from '../support/documented-routes';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

const EXPOSED = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'X-Request-Id',
  'X-Total-Count',
  'X-First-Seq',
  'X-Has-Older',
  'X-Has-Newer',
  'ETag',
  'Idempotent-Replayed',
];
const PAGE = 'https://page.example';

/** The values of a header that is a list. */
function list(response: Response, name: string): string[] {
  return (response.headers.get(name) ?? '').split(',').map((item) => item.trim());
}

async function preflight(app: TestApp, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(app.url + path, {
    method: 'OPTIONS',
    headers: {
      origin: PAGE,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-api-key,x-user-id,idempotency-key,authorization',
      ...headers,
    },
  });
  await response.arrayBuffer();
  return response;
}

describe('CORS', () => {
  let open: TestApp;
  let listed: TestApp;

  beforeAll(async () => {
    open = await startTestApp();
    listed = await startTestApp({ env: { CORS_ORIGINS: 'https://a.example, http://localhost:3000' } });
  });
  afterAll(() => Promise.all([open.close(), listed.close()]));

  it('answers a preflight on every route, and on unknown ones, with 204 and no credential', async () => {
    const paths = [...documentedPaths(), '/docs', '/', '/nowhere', '/rooms/', '/ws'];
    for (const path of paths) {
      const response = await preflight(open, path);
      expect([path, response.status]).toEqual([path, 204]);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(list(response, 'access-control-allow-methods')).toEqual(
        expect.arrayContaining(['GET', 'POST', 'PATCH', 'DELETE']),
      );
      expect(list(response, 'access-control-allow-headers')).toEqual(
        expect.arrayContaining(['content-type', 'x-api-key', 'x-user-id', 'idempotency-key', 'authorization']),
      );
      expect(response.headers.get('x-request-id')).toBeTruthy();
    }
  });

  it('answers OPTIONS without the headers of a preflight too', async () => {
    const response = await fetch(`${open.url}/rooms`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
  });

  it('exposes the headers that a page needs, on successes and on every error', async () => {
    const tenant = await open.tenant({ requests_per_second: 1000 });
    const stopped = await open.tenant({ requests_per_second: 0 });
    const alice = tenant.as('alice').with({ origin: PAGE });
    const answers = [
      await alice.get('/rooms'),
      await alice.get('/rooms?limit=0'),
      await open.anonymous.with({ origin: PAGE }).get('/rooms'),
      await alice.get('/admin/tenants'),
      await alice.get('/rooms/nonsense'),
      await alice.get('/nowhere'),
      await alice.call('PUT', '/rooms'),
      await alice.post('/rooms', undefined, { raw: JSON.stringify('x'.repeat(300 * 1024)) }),
      await alice.post('/rooms', undefined, { raw: 'x', headers: { 'content-type': 'text/plain' } }),
      await stopped.as('alice').with({ origin: PAGE }).get('/rooms'),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([200, 400, 401, 403, 404, 404, 405, 413, 415, 429]);
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect((headers.get('access-control-expose-headers') ?? '').split(', ')).toEqual(expect.arrayContaining(EXPOSED));
    }
  });

  describe('S11: origins as browsers write them', () => {
    /** What is listed, and who is let in by it. */
    const LISTED = ['https://*.a.test', 'https://a.test:443', 'https://münchen.test/', 'HTTP://B.test:80'].concat(
      ['capacitor://localhost', 'ionic://localhost', 'app://.', 'tauri://localhost', 'chrome-extension://abcdefgh'],
      ['http://localhost:3000', 'file://'],
    );
    const LET_IN = ['https://x.a.test', 'https://a.test', 'https://xn--mnchen-3ya.test', 'http://b.test'].concat(
      ['capacitor://localhost', 'ionic://localhost', 'app://.', 'tauri://localhost', 'chrome-extension://abcdefgh'],
      ['http://localhost:3000', 'null', 'file://'],
    );
    const KEPT_OUT = [
      'https://x.y.a.test',
      'http://x.a.test',
      'https://.a.test',
      'https://xa.test',
      'https://b.test',
    ].concat([
      'https://x.a.test:8443',
      'https://x.a.test.evil.test',
      'capacitor://evil',
      'http://localhost',
      'app://evil',
    ]);

    it('S11: CORS_ORIGINS lets them in, and nobody else', async () => {
      const app = await startTestApp({ env: { CORS_ORIGINS: LISTED.join(',') } });
      try {
        for (const origin of LET_IN)
          expect((await preflight(app, '/rooms', { origin })).headers.get('access-control-allow-origin')).toBe(origin);
        for (const origin of KEPT_OUT)
          expect((await preflight(app, '/rooms', { origin })).headers.get('access-control-allow-origin')).toBeNull();
      } finally {
        await app.close();
      }
    });

    it("S11: a tenant's allowed_origins does so over REST and at sockets, and is stored as browsers write it", async () => {
      const tenant = await open.tenant(undefined, { allowed_origins: [...LISTED, 'https://A.test'] });
      const { body } = await open.master.get<{ settings: object }>(`/admin/tenants/${tenant.tenantId}`);
      const stored = LET_IN.filter((origin) => origin !== 'file://');
      expect(body.settings).toEqual({ allowed_origins: ['https://*.a.test', ...stored.slice(1)] });
      for (const [origins, status] of [
        [LET_IN, 200],
        [KEPT_OUT, 403],
      ] as const)
        for (const origin of origins) {
          expect([origin, (await tenant.as('alice').with({ origin }).get('/rooms')).status]).toEqual([origin, status]);
          const headers = { ...keyOf(tenant), origin };
          if (status === 200) await (await WsClient.connect(open.url, { headers })).close();
          else expect([origin, (await WsClient.refused(open.url, { headers })).status]).toEqual([origin, status]);
        }
    });

    it('S11: what was stored before it was normalised holds as if it were', async () => {
      const tenant = await open.tenant();
      await open.database.sql(
        `UPDATE tenants SET settings = $2 WHERE 'tenant_' || replace(tenant_id::text, '-', '') = $1`,
        [tenant.tenantId, JSON.stringify({ allowed_origins: ['https://A.test:443', 'https://*.münchen.test'] })],
      );
      for (const origin of ['https://a.test', 'https://x.xn--mnchen-3ya.test'])
        expect((await tenant.as('alice').with({ origin }).get('/rooms')).status).toBe(200);
      expect((await tenant.as('alice').with({ origin: 'https://b.test' }).get('/rooms')).status).toBe(403);
    });

    it('S11: what is none is refused, and each is named', async () => {
      const bad = ['https://a.*.test', 'https://ok.test', 'https://*', 'file:///etc', 'javascript://x'];
      const answer = await open.master.post('/admin/tenants', { name: 'x', settings: { allowed_origins: bad } });
      const { field, details } = errorOf(answer);
      expect([answer.status, field]).toEqual([400, 'settings.allowed_origins[0]']);
      expect((details?.['errors'] as { field: string }[]).map((error) => error.field)).toEqual(
        [0, 2, 3, 4].map((i) => `settings.allowed_origins[${i}]`),
      );
    });
  });

  it.each(['https://a.example', 'http://localhost:3000'])('with a list allows %s, which is on it', async (origin) => {
    const tenant = await listed.tenant();
    const asked = await preflight(listed, '/rooms', { origin });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    const answer = await tenant.as('alice').with({ origin }).get('/rooms');
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('vary')).toMatch(/origin/i);
  });

  it.each([PAGE, 'http://a.example', 'https://a.example.evil.example', 'null'])(
    'with a list does not allow %s, which is not on it',
    async (origin) => {
      const tenant = await listed.tenant();
      const asked = await preflight(listed, '/rooms', { origin });
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, null]);
      const answer = await tenant.as('alice').with({ origin }).get('/rooms');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});
