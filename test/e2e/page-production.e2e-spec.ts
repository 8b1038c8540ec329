import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describeWithBrowser, openPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { kept } from '../support/pages';
import { freePort } from '../support/server-process';

const MASTER_KEY = randomBytes(24).toString('hex');

let database: TestDatabase;
let dataDir: string;
let env: Readonly<Record<string, string>>;
let server: BuiltServer;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = mkdtempSync(join(tmpdir(), 'chatapi-production-'));
  // It comes back where it was, as after an update.
  const place = { PORT: String(await freePort()), DATA_DIR: dataDir, DATABASE_URL: database.url };
  const secrets = { MASTER_API_KEY: MASTER_KEY, JWT_SECRET: 'j'.repeat(32), ENCRYPTION_KEY: 'a'.repeat(64) };
  env = { ...place, ...secrets, NODE_ENV: 'production' };
  server = await startBuiltServer(env);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function post<T>(path: string, headers: Record<string, string>, body: object): Promise<T> {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** A tenant with a room of two, and a token of each, as its back end mints them. */
async function tokens(): Promise<readonly string[]> {
  const { api_key: key } = await post<{ api_key: string }>(
    ...['/admin/tenants', { 'X-Master-Key': MASTER_KEY }, { name: 'live' }],
  );
  const by = { 'X-API-Key': key };
  await post('/rooms', { ...by, 'X-User-Id': 'alice' }, { type: 'group', name: 'plans', members: ['bob'] });
  const mint = async (user: string): Promise<string> =>
    (await post<{ token: string }>('/tokens', by, { user_id: user })).token;
  return [await mint('alice'), await mint('bob')];
}

const person = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

async function play(page: Page): Promise<void> {
  await page.goto(`${server.url}/playground#demo`);
  await page.getByRole('heading', { name: 'This server runs in production: come with tokens' }).waitFor();
  await page.getByText('POST /ws/token').waitFor();
  // No key is asked for, and no way leads to where one is.
  expect(await page.getByLabel('API key').count()).toBe(0);
  expect(await page.getByRole('button').allInnerTexts()).toEqual(['Open the playground']);
  await page.getByLabel('User tokens').fill((await tokens()).join('\n'));
  await page.getByRole('button', { name: 'Open the playground' }).click();
  for (const name of ['alice', 'bob']) {
    await person(page, name).getByText('Live', { exact: true }).waitFor();
    await person(page, name).getByRole('button', { name: 'plans' }).click();
    await person(page, name).getByRole('textbox').waitFor();
  }
}

describeWithBrowser('the playground in production', () => {
  it('takes tokens of users; the server goes and comes back, and nothing that was typed is lost', async () => {
    const { page, problems, close } = await openPage(server.url);
    await page.setViewportSize({ width: 1280, height: 800 });
    await play(page);
    const [alice, bob] = [person(page, 'alice'), person(page, 'bob')];
    const box = alice.getByRole('textbox');
    await box.fill('said before');
    await box.press('Enter');
    await bob.getByText('said before').waitFor();
    await box.fill('begun before');

    await server.stop();
    for (const one of [alice, bob]) await one.getByText(/^Lost/).waitFor();
    expect(await box.inputValue()).toBe('begun before');
    await box.pressSequentially(', ended while it was away');
    await box.press('Enter');
    await alice.getByText('on its way').waitFor();
    await box.fill('not sent yet');

    server = await startBuiltServer(env);
    for (const one of [alice, bob]) await one.getByText('Live', { exact: true }).waitFor();
    await bob.getByText('begun before, ended while it was away').waitFor();
    expect(await box.inputValue()).toBe('not sent yet');
    expect(page.url()).toBe(`${server.url}/playground#demo`);
    expect(await kept(page)).toBe('[{},""]');
    // That nobody answers is told by the browser, too; nothing else is.
    expect(problems.filter((problem) => !/ERR_|WebSocket connection|50\d/.test(problem))).toEqual([]);
    await close();
  });
});
