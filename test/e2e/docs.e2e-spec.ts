import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { VERSION } from '../../src/common/version';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { until } from '../support/poll';
import { ASYNCAPI_FILE, documentedFrames } from '../support/ws/asyncapi';

interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly security?: Record<string, string[]>[];
  readonly parameters?: { name?: string; in?: string; example?: string }[];
  readonly requestBody?: { content: Record<string, { example?: object }> };
  readonly responses: Record<string, unknown>;
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
}

/** What the page calls the credentials. */
const SCHEMES = {
  apiKey: "A tenant's API key",
  userId: 'The user that you act as',
  masterKey: "The operator's master key",
  bearer: 'A user token',
};
const AUTHORIZE = '.auth-wrapper > button.authorize';
/** Every frame of both sockets. */
const FRAMES = (['socket', 'chat'] as const).flatMap((channel) => [
  ...documentedFrames('client', channel),
  ...documentedFrames('server', channel),
]);

let server: BuiltServer;
let apiKey: string;

beforeAll(async () => {
  server = await startBuiltServer();
  apiKey = /chatapi_[0-9A-Za-z]+/.exec(server.output)?.[0] ?? '';
});
afterAll(() => server.stop());

describeWithBrowser('Swagger UI', () => {
  let watched: WatchedPage;

  beforeAll(async () => {
    watched = await openPage(server.url);
  });
  afterAll(() => watched.close());

  it('creates a room with the printed key, keeps the key over a reload, and asks nobody else', async () => {
    const { page, foreign, problems } = watched;
    const answer = await page.goto(`${server.url}/docs`);
    expect(answer?.headers()['content-security-policy']).toContain("default-src 'self'");
    // What releases before this one kept.
    await page.evaluate(`localStorage.setItem('authorized', 'an old key')`);
    await page.reload();
    await authorize(page, { [SCHEMES.apiKey]: apiKey, [SCHEMES.userId]: 'alice' });
    expect(await tryOut(page, 'Rooms_create')).toBe('201');
    await page.reload();
    expect(await tryOut(page, 'Rooms_list')).toBe('200');
    expect(await tryOut(page, 'Messages_send')).toBe('201');
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, '']);
  });

  it('S33: forgets the credentials with the tab, and with Logout', async () => {
    const { page } = watched;
    const kept = (): Promise<string> => page.evaluate('JSON.stringify({ ...sessionStorage })');
    expect(await kept()).toContain(apiKey);
    const opened = page.context().waitForEvent('page');
    await page.evaluate(`window.open('/docs', '_blank', 'noopener')`);
    const other = await opened;
    await other.locator('.opblock').first().waitFor();
    expect(await other.evaluate('[localStorage.length, sessionStorage.length]')).toEqual([0, 0]);
    await other.close();
    await page.locator(AUTHORIZE).click();
    const logout = page.locator('.auth-container button', { hasText: 'Logout' });
    for (let left = await logout.count(); left > 0; left--) await logout.first().click();
    expect(await kept()).not.toContain(apiKey);
  });
});

describeWithBrowser('Swagger UI, to find one’s way in', () => {
  let watched: WatchedPage;

  beforeAll(async () => {
    watched = await openPage(server.url);
    await watched.page.goto(`${server.url}/docs`);
  });
  afterAll(() => watched.close());

  it('S28: names each credential, and says in a sentence what it is for', async () => {
    const { page } = watched;
    await page.locator(AUTHORIZE).click();
    const forms = page.locator('.auth-container form');
    const shown = await forms.allInnerTexts();
    expect(shown.map((text) => text.split('\n')[0])).toEqual(Object.values(SCHEMES));
    for (const text of shown) {
      expect(text).not.toContain('(apiKey)');
      expect(text).toMatch(/[a-z]{3,}\.\s/);
    }
    await page.locator('button.btn-done').first().click();
  });

  it('S28: finds operations by any of their words', async () => {
    const { page } = watched;
    const search = page.getByLabel('Search operations');
    await search.fill('once more POST dead-letters');
    await until(
      () => page.locator('.opblock').count(),
      (count) => count === 1,
    );
    expect(await page.locator('.opblock').innerText()).toContain('/admin/dead-letters/replay');
    await search.fill('nothing is called this');
    await until(
      () => page.locator('.opblock').count(),
      (count) => count === 0,
    );
    await search.fill('');
    await until(
      () => page.locator('.opblock').count(),
      (count) => count > 50,
    );
  });
});

describeWithBrowser('S28: on a phone and in the dark', () => {
  it.each(['light', 'dark'] as const)('S28: nothing scrolls sideways at 390 px (%s)', async (colorScheme) => {
    const { page, problems, close } = await openPage(server.url);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme });
    const wide = (): Promise<number> => page.evaluate('document.documentElement.scrollWidth');
    const darkness = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.goto(`${server.url}/docs`);
    for (const operation of ['Messages_send', 'AdminTenants_update', 'Channels_create']) {
      const block = page.locator(`[id$="-${operation}"]`);
      await block.locator('.opblock-summary-control').click();
      await block.locator('button.execute').waitFor();
      expect({ operation, wide: await wide() }).toEqual({ operation, wide: 390 });
    }
    await page.goto(`${server.url}/docs/ws`);
    expect(await wide()).toBe(390);
    await page.evaluate(`for (const frame of document.querySelectorAll('.frame')) frame.open = true`);
    expect(await wide()).toBe(390);
    expect(await darkness()).toBe(colorScheme === 'dark' ? 'rgb(20, 23, 27)' : 'rgb(255, 255, 255)');
    expect(problems).toEqual([]);
    await close();
  });
});

describe('S33: the pages', () => {
  it.each(['/docs', '/docs/', '/docs/ws', '/docs/ws/'])(
    'S33: %s allows nothing unsafe, and has nothing inline',
    async (path) => {
      const answer = await fetch(`${server.url}${path}`);
      const policy = answer.headers.get('content-security-policy') ?? '';
      for (const directive of ["default-src 'self'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
        expect(policy.split(';')).toContain(directive);
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      const html = await answer.text();
      expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
      expect(answer.headers.get('set-cookie')).toBeNull();
    },
  );

  it('S33: serve of Swagger UI what they need and no more', async () => {
    const status = async (path: string): Promise<number> => (await fetch(`${server.url}${path}`)).status;
    expect(await status('/docs/swagger/swagger-ui-bundle.js')).toBe(200);
    for (const path of [
      'index.html',
      'package.json',
      'oauth2-redirect.html',
      'swagger-initializer.js',
      '../package.json',
    ])
      expect({ path, status: await status(`/docs/swagger/${path}`) }).toEqual({ path, status: 404 });
    for (const path of [
      '/docs/assets/../../package.json',
      '/docs/assets/%2e%2e%2f%2e%2e%2fpackage.json',
      '/docs/assets/',
    ])
      expect([400, 403, 404]).toContain(await status(path));
  });
});

describe('the document of the socket', () => {
  it('is served as it is committed, without a credential', async () => {
    const answer = await fetch(`${server.url}/asyncapi.json`);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toEqual(JSON.parse(readFileSync(ASYNCAPI_FILE, 'utf8')));
  });

  it('has a page that may load its own files only', async () => {
    const answer = await fetch(`${server.url}/docs/ws`);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(await answer.text()).toContain('<meta charset="utf-8" />');
  });

  it('is named by the page of the REST API', async () => {
    const { info } = (await (await fetch(`${server.url}/docs-json`)).json()) as { info: { description: string } };
    expect(info.description).toContain('(/docs/ws)');
  });
});

describeWithBrowser('the page of the socket', () => {
  let watched: WatchedPage;

  beforeAll(async () => {
    watched = await openPage(server.url);
  });
  afterAll(() => watched.close());

  it('shows every frame and close code, asks nobody else, and has nothing to complain about', async () => {
    const { page, foreign, problems } = watched;
    await page.goto(`${server.url}/docs/ws`);
    await page.getByRole('heading', { name: 'Close codes' }).waitFor();
    const text = (await page.locator('main').textContent()) ?? '';
    expect(FRAMES.filter((name) => !text.includes(name))).toEqual([]);
    for (const shown of ['4009', 'X-API-Key', 'X-Chat-ID', '/ws/chat', 'SERVICE_UNAVAILABLE', '…'])
      expect(text).toContain(shown);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('S28: folds frames away, so that the page can be looked over', async () => {
    const { page } = watched;
    expect(await page.locator('.frame').count()).toBe(FRAMES.length);
    expect(await page.locator('.frame[open]').count()).toBe(0);
    // 62,000 before; what is written in it grows, what is folded away does not count.
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThan(15_000);
  });
});

describeWithBrowser('the page of the sockets, searched', () => {
  let watched: WatchedPage;

  beforeAll(async () => {
    watched = await openPage(server.url);
    await watched.page.goto(`${server.url}/docs/ws`);
  });
  afterAll(() => watched.close());

  it('S28: finds frames, fields, errors and close codes, and opens what is alone', async () => {
    const { page } = watched;
    const search = page.getByLabel('Search');
    const found = async (phrase: string): Promise<string[]> => {
      await search.fill(phrase);
      return page.locator('.frame:visible > summary > code').allInnerTexts();
    };
    expect(await found('after_index message_id resume')).toEqual(expect.arrayContaining(['resume']));
    expect(await found('typing.stop')).toContain('typing.stop');
    expect(await found('heartbeat_ms')).toEqual(['hello']);
    expect(await page.locator('.frame[open]').count()).toBe(1);
    expect(await found('1009')).toEqual([]);
    expect(await page.locator('#close-codes').getByRole('cell', { name: '1009', exact: true }).isVisible()).toBe(true);
    expect(await page.locator('#close-codes').getByRole('cell', { name: '4029', exact: true }).isVisible()).toBe(false);
    expect(await found('nothing is called this')).toEqual([]);
    expect(await page.locator('#found').innerText()).toBe(`0 of ${FRAMES.length} frames, 0 other places`);
    expect(await found('')).toHaveLength(FRAMES.length);
  });

  it('S28: opens the frame that the address names', async () => {
    const { page, problems } = watched;
    await page.goto(`${server.url}/docs/ws#chat.resume`);
    await page.reload();
    expect(await page.locator('.frame[open]').getAttribute('id')).toBe('chat.resume');
    await page.locator('.frame[open] a', { hasText: 'error' }).click();
    await page.locator('[id="chat.error"][open]').waitFor();
    expect(problems).toEqual([]);
  });

  it('S28: can be read without its script', async () => {
    const html = await (await fetch(`${server.url}/docs/ws`)).text();
    for (const name of FRAMES) expect(html).toContain(`<code>${name}</code>`);
    expect(html).not.toMatch(/undefined|\[object Object\]|NaN/);
  });
});

// Runs last: the examples of DELETE take the demo room away.
describe('the OpenAPI document', () => {
  it('S28: describes every operation: who may call it, and the rule', async () => {
    const document = (await (await fetch(`${server.url}/docs-json`)).json()) as Document;
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(operations.length).toBeGreaterThan(60);
    const bare = operations.filter(({ description = '' }) => {
      const [rule = '', ...rest] = description.split('**Who may call:** ');
      return rule.trim().length < 20 || rest.length !== 1;
    });
    expect(bare.map(({ operationId }) => operationId)).toEqual([]);
    expect((document as unknown as { info: { version: string } }).info.version).toBe(VERSION);
  });

  it('S28: has examples for the operator that show the settings and work with the printed master key', async () => {
    const document = (await (await fetch(`${server.url}/docs-json`)).json()) as Document;
    const path = '/admin/tenants/{tenant_id}';
    const { patch } = document.paths[path] ?? {};
    const example = patch?.requestBody?.content['application/json']?.example;
    expect(Object.keys(example ?? {}).sort()).toEqual(['limits', 'name', 'settings']);
    const masterKey = /X-Master-Key\):\s+(\S+)/.exec(server.output)?.[1] ?? '';
    const response = patch && (await callExample(path, 'patch', patch, { 'x-master-key': masterKey }));
    expect([response?.status, await response?.text()]).toEqual([200, expect.stringContaining('while_answering')]);
  });

  it('has examples that work as they stand with the printed key', async () => {
    // By default nothing is kept of what messages said before.
    const { origin } = new URL(server.url);
    const masterKey = /X-Master-Key\):\s+(\S+)/.exec(server.output)?.[1] ?? '';
    const kept = await fetch(`${origin}/admin/tenants/tenant_019000000000700080000000000000d2`, {
      method: 'PATCH',
      headers: { 'x-master-key': masterKey, 'content-type': 'application/json' },
      body: JSON.stringify({ settings: { message_history: 'on' } }),
    });
    expect(kept.status).toBe(200);
    const document = (await (await fetch(`${server.url}/docs-json`)).json()) as Document;
    const calls = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, operation]) => operation.security?.some((s) => 'apiKey' in s && !('masterKey' in s)))
        // The demo chat is one on both doors: it can be taken away once.
        .filter(([method]) => !(path.startsWith('/api/conversations') && method === 'delete'))
        .filter(() => !path.includes('{channelId}') && !path.startsWith('/admin/'))
        // A response has its id from when it was made.
        .filter(() => !path.includes('{response_id}'))
        .map(([method, operation]) => ({ path, method, operation })),
    );
    // What takes things away comes last, the innermost first.
    calls.sort(
      (a, b) =>
        Number(a.method === 'delete') - Number(b.method === 'delete') ||
        // There is nothing to write anew before something was said.
        Number(a.path.endsWith('/regenerate')) - Number(b.path.endsWith('/regenerate')) ||
        // An agent is there once it was added.
        Number(isOfAgent(a)) - Number(isOfAgent(b)) ||
        b.path.length - a.path.length,
    );
    expect(calls.length).toBeGreaterThan(15);
    for (const { path, method, operation } of calls) {
      const response = await callExample(path, method, operation);
      expect({ id: operation.operationId, ok: response.ok, body: response.ok ? '' : await response.text() }).toEqual({
        id: operation.operationId,
        ok: true,
        body: '',
      });
    }
  });
});

/** Asks for an agent that is there. */
function isOfAgent({ path, method }: { readonly path: string; readonly method: string }): boolean {
  return path.includes('/agents/{') && method !== 'delete';
}

async function callExample(
  path: string,
  method: string,
  operation: Operation,
  credential: Record<string, string> = { 'x-api-key': apiKey, 'x-user-id': 'alice' },
): Promise<Response> {
  const url = path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const example = operation.parameters?.find((p) => p.in === 'path' && p.name === name)?.example;
    if (example === undefined) throw new Error(`${operation.operationId} has no example for ${name}`);
    return example;
  });
  const example = operation.requestBody?.content['application/json']?.example;
  const body = example && JSON.stringify(example);
  const headers = { ...credential, 'content-type': 'application/json' };
  return fetch(server.url + url, { method: method.toUpperCase(), headers, ...(body === undefined ? {} : { body }) });
}

/** @param values by the titles of the schemes */
async function authorize(page: Page, values: Record<string, string>): Promise<void> {
  await page.locator(AUTHORIZE).click();
  for (const [title, value] of Object.entries(values)) {
    const box = page.locator('.auth-container form', { hasText: title });
    await box.locator('input').fill(value);
    await box.locator('button.authorize').click();
  }
  await page.locator('button.btn-done').first().click();
}

/** Opens an operation, executes it as it stands, and returns the status that the page shows. */
async function tryOut(page: Page, operationId: string): Promise<string> {
  const block = page.locator(`[id$="-${operationId}"]`);
  await block.locator('.opblock-summary-control').click();
  await block.locator('button.execute').click();
  const status = block.locator('.live-responses-table .response-col_status').nth(1);
  await status.waitFor();
  return (await status.innerText()).trim().slice(0, 3);
}
