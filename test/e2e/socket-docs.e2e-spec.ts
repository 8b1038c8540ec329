import { readFileSync } from 'node:fs';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { ASYNCAPI_FILE, documentedFrames } from '../support/ws/asyncapi';

let server: BuiltServer;

beforeAll(async () => {
  server = await startBuiltServer();
}, 120_000);
afterAll(() => server.stop());

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
    const missing = [...documentedFrames('client'), ...documentedFrames('server')].filter(
      (name) => !text.includes(name),
    );
    expect(missing).toEqual([]);
    for (const shown of ['4009', 'X-API-Key', 'SERVICE_UNAVAILABLE', '…']) expect(text).toContain(shown);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
  });
});
