import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
/** seat.md §2, to the letter. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
];
const PAGES = ['/', '/admin/ui', '/admin/ui/', '/admin/ui/tenants/tenant_x', '/playground'];

let server: BuiltServer;

beforeAll(async () => {
  server = await startBuiltServer();
});
afterAll(() => server.stop());

function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, { headers, redirect: 'manual' });
}

/** The files that a page names. */
async function filesOf(path: string): Promise<string[]> {
  const html = await (await get(path, HTML)).text();
  return [...html.matchAll(/(?:src|href)="(\/ui\/[^"]+)"/g)].map(([, file = '']) => file);
}

describe('the pages', () => {
  it.each(PAGES)('%s is HTML, asked for anew each time, under the policy', async (path) => {
    const answer = await get(path, HTML);
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    expect(answer.headers.get('content-security-policy')?.split(';')).toEqual(POLICY);
    const html = await answer.text();
    expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\bon\w+=|\bstyle=/);
  });

  it.each(PAGES)('what %s names is there, may be kept for ever, and comes compressed to who takes it', async (path) => {
    const files = await filesOf(path);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const plain = await get(file, { 'accept-encoding': 'identity' });
      const size = (await plain.arrayBuffer()).byteLength;
      const packed = await get(file, { 'accept-encoding': 'br' });
      expect([file, plain.status, plain.headers.get('cache-control')]).toEqual([
        file,
        200,
        'public, max-age=31536000, immutable',
      ]);
      expect(plain.headers.get('content-security-policy')?.split(';')).toEqual(POLICY);
      if (size >= 1024) expect(packed.headers.get('content-encoding')).toBe('br');
    }
  });

  it.each([
    ['/admin/ui', 150],
    ['/playground', 100],
  ])('%s is at most %i kB when it is first opened', async (path, kilobytes) => {
    let bytes = 0;
    for (const file of await filesOf(path)) {
      const answer = await get(file, { 'accept-encoding': 'gzip' });
      bytes += Number(answer.headers.get('content-length'));
      await answer.body?.cancel();
    }
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(kilobytes * 1000);
  });

  it.each([
    '/admin/ui/nothing.js',
    '/admin/uix',
    '/playground/more',
    '/ui/assets/none.js',
    '/ui/assets/../console.html',
  ])('%s is 404 in JSON', async (path) => {
    const answer = await get(path, HTML);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ error: expect.objectContaining({ code: 'NOT_FOUND' }) }),
    ]);
  });
});

describe('/', () => {
  it.each([
    ['text/html', 'text/html; charset=utf-8'],
    ['application/json, text/html;q=0.5', 'text/html; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['application/json', 'application/json; charset=utf-8'],
    ['text/html;q=0, */*', 'application/json; charset=utf-8'],
    ['text/htmlx', 'application/json; charset=utf-8'],
    ['', 'application/json; charset=utf-8'],
  ])('who accepts %j gets %s', async (accept, type) => {
    const answer = await get('/', { accept });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(answer.headers.get('vary')).toContain('Accept');
  });

  it('tells programs what this is and where to read on', async () => {
    const about = (await (await get('/')).json()) as Record<string, string>;
    expect(about).toEqual({ name: 'chatapi', version: expect.any(String), docs: '/docs', health: '/health' });
    for (const path of [about['docs'], about['health']]) expect((await get(path ?? '')).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is 405', async (method) => {
    const answer = await fetch(server.url, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('robots stay out, models are told where the documents are, and those are there', async () => {
    expect(await (await get('/robots.txt')).text()).toBe('User-agent: *\nDisallow: /\n');
    const text = await (await get('/llms.txt')).text();
    for (const [, path = ''] of text.matchAll(/\]\((\/[^)]+)\)/g))
      expect([path, (await get(path)).status]).toEqual([path, 200]);
    const [one, other] = await Promise.all(
      ['/openapi.json', '/docs-json'].map(async (path) => (await get(path)).json()),
    );
    expect(one).toEqual(other);
  });
});

describe('UI_ENABLED=false', () => {
  let bare: BuiltServer;
  beforeAll(async () => {
    bare = await startBuiltServer({ UI_ENABLED: 'false' });
  });
  afterAll(() => bare.stop());

  it.each(['/admin/ui', '/admin/ui/tenants', '/playground', '/favicon.svg'])('%s is 404', async (path) => {
    expect((await fetch(`${bare.url}${path}`, { headers: HTML })).status).toBe(404);
  });

  it('/ is JSON for everybody, and the start names no pages', async () => {
    const answer = await fetch(bare.url, { headers: HTML });
    expect(await answer.json()).toMatchObject({ name: 'chatapi' });
    expect(bare.output).not.toMatch(/Console|Playground/);
    expect(server.output).toMatch(
      /Start here +http:\S+\/\n +Console +http:\S+\/admin\/ui\n +Playground +http:\S+\/playground\n/,
    );
  });
});

describeWithBrowser('the first page', () => {
  let watched: WatchedPage;
  beforeAll(async () => {
    watched = await openPage(server.url);
  });
  afterAll(() => watched.close());

  it('says version and state, leads to what there is, and has the command for this address', async () => {
    const { page, problems, foreign } = watched;
    await page.goto(server.url);
    await page.getByText('works', { exact: true }).waitFor();
    await page.getByText(/^Version \d/).waitFor();
    expect(await page.locator('#curl').textContent()).toContain(`${server.url}/api/chat`);
    const anchors = await page.locator('a').all();
    const links = await Promise.all(anchors.map(async (anchor) => (await anchor.getAttribute('href')) ?? ''));
    expect(links.length).toBeGreaterThan(6);
    for (const link of links) expect([link, (await get(link, HTML)).status]).toEqual([link, 200]);
    expect([problems, foreign]).toEqual([[], []]);
  });
});
