import { startTestApp, type TestApp } from '../support/app';
import { documentedPaths } from '../support/routes';

const EXPOSED = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'X-Request-Id',
  'X-Total-Count',
  'X-First-Seq',
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
      await alice.post('/rooms', undefined, { raw: Buffer.alloc(300 * 1024) }),
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

  it('with a list allows those origins and no other', async () => {
    const tenant = await listed.tenant();
    for (const origin of ['https://a.example', 'http://localhost:3000']) {
      const asked = await preflight(listed, '/rooms', { origin });
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
      const answer = await tenant.as('alice').with({ origin }).get('/rooms');
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('vary')).toMatch(/origin/i);
    }
    for (const origin of [PAGE, 'http://a.example', 'https://a.example.evil.example', 'null']) {
      const asked = await preflight(listed, '/rooms', { origin });
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, null]);
      const answer = await tenant.as('alice').with({ origin }).get('/rooms');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
