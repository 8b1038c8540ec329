import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { ASYNCAPI_FILE, documentedFrames } from '../support/ws/asyncapi';

interface Operation {
  readonly operationId: string;
  readonly security?: Record<string, string[]>[];
  readonly parameters?: { name?: string; in?: string; example?: string }[];
  readonly requestBody?: { content: Record<string, { example?: object }> };
  readonly responses: Record<string, unknown>;
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
}

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
    await authorize(page, { apiKey, userId: 'alice' });
    expect(await tryOut(page, 'Rooms_create')).toBe('201');
    await page.reload();
    expect(await tryOut(page, 'Rooms_list')).toBe('200');
    expect(await tryOut(page, 'Messages_send')).toBe('201');
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
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
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self' 'unsafe-eval';");
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
    const text = await page.locator('#asyncapi').innerText();
    const frames = (['socket', 'chat'] as const).flatMap((channel) => [
      ...documentedFrames('client', channel),
      ...documentedFrames('server', channel),
    ]);
    expect(frames.filter((name) => !text.includes(name))).toEqual([]);
    for (const shown of ['4009', 'X-API-Key', 'X-Chat-ID', '/ws/chat', 'SERVICE_UNAVAILABLE', '…'])
      expect(text).toContain(shown);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
  });
});

// Runs last: the examples of DELETE take the demo room away.
describe('the OpenAPI document', () => {
  it('has examples that work as they stand with the printed key', async () => {
    const document = (await (await fetch(`${server.url}/docs-json`)).json()) as Document;
    const calls = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, operation]) => operation.security?.some((s) => 'apiKey' in s && !('masterKey' in s)))
        // A channel would be asked from then on, and leads nowhere here.
        .filter(([method]) => !path.startsWith('/api/channels') || method === 'get')
        // The demo chat is one on both doors: it can be taken away once.
        .filter(([method]) => !(path.startsWith('/api/conversations') && method === 'delete'))
        .filter(() => !path.includes('{channelId}') && !path.startsWith('/admin/'))
        .map(([method, operation]) => ({ path, method, operation })),
    );
    // What takes things away comes last, the innermost first.
    calls.sort(
      (a, b) =>
        Number(a.method === 'delete') - Number(b.method === 'delete') ||
        // There is nothing to write anew before something was said.
        Number(a.path.endsWith('/regenerate')) - Number(b.path.endsWith('/regenerate')) ||
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

async function callExample(path: string, method: string, operation: Operation): Promise<Response> {
  const url = path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const example = operation.parameters?.find((p) => p.in === 'path' && p.name === name)?.example;
    if (example === undefined) throw new Error(`${operation.operationId} has no example for ${name}`);
    return example;
  });
  const example = operation.requestBody?.content['application/json']?.example;
  const body = example && JSON.stringify(example);
  const headers = { 'x-api-key': apiKey, 'x-user-id': 'alice', 'content-type': 'application/json' };
  return fetch(server.url + url, { method: method.toUpperCase(), headers, ...(body === undefined ? {} : { body }) });
}

async function authorize(page: Page, values: Record<string, string>): Promise<void> {
  await page.locator('button.authorize').first().click();
  for (const [scheme, value] of Object.entries(values)) {
    const box = page.locator('.auth-container form', { hasText: new RegExp(`^${scheme}\\s`) });
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
