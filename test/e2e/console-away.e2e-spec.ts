import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { build } from '../support/built-server';
import { answered, seriousFaults } from '../support/pages';
import { freePort, type ServerProcess, Servers } from '../support/server-process';

const ROOT = join(__dirname, '..', '..');
const MASTER = 'master-key-of-a-console-that-is-left';
const OTHER_MASTER = 'another-master-key-of-that-console';
const AWAY = 'The server does not answer. What you see is what it said last';

const servers = new Servers();
let server: ServerProcess;
let url: string;
let port: number;
let dataDir: string;

/** On the directory and port of the one before. */
async function start(masterKey = MASTER): Promise<void> {
  const env = { DATA_DIR: dataDir, PORT: String(port), MASTER_API_KEY: masterKey, LOG_LEVEL: 'warn' };
  ({ server, url } = await servers.start({ env, checkout: ROOT }));
}

const stop = (): Promise<unknown> => server.kill('SIGTERM');

beforeAll(async () => {
  await build();
  dataDir = servers.seededDir();
  port = await freePort();
  await start();
});
afterAll(() => servers.cleanUp());

function call<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  return answered<T>(url, method, path, headers, body);
}

interface Made {
  readonly tenant_id: string;
  readonly api_key: string;
}

const makeTenant = (name: string): Promise<Made> =>
  call('POST', '/admin/tenants', { 'X-Master-Key': MASTER }, { name });

async function signIn(page: Page, key: string, path: string): Promise<void> {
  await page.goto(`${url}/admin/ui${path}`);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

const button = (page: Page | Locator, name: string): Locator => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });
const link = (page: Page, name: string): Locator => page.getByRole('link', { name, exact: true });

async function keepsForm({ page }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant('Left');
  await signIn(page, MASTER, `/tenants/${id}/settings`);
  const name = page.getByLabel('Name', { exact: true });
  await name.fill('Left and found');
  await stop();
  await page.getByText(AWAY).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  await button(page, 'Save').click();
  await page.getByRole('alert').getByText('The server does not answer').waitFor();
  expect(await name.inputValue()).toBe('Left and found');
  expect(await seriousFaults(page)).toEqual([]);

  // It comes back with another master key: one sentence, and what was typed is there for whoever has the new one.
  await start(OTHER_MASTER);
  await page.getByText('The server takes another master key now').waitFor();
  await page.getByLabel('Key').fill(OTHER_MASTER);
  await button(page, 'Sign in').click();
  await name.waitFor();
  expect(await name.inputValue()).toBe('Left and found');
  await button(page, 'Save').click();
  await heading(page, 'Left and found').waitFor();
  await stop();
  await start();
}

async function keepsLists({ page }: WatchedPage): Promise<void> {
  const { tenant_id: id, api_key: key } = await makeTenant('Listed');
  const alice = { 'X-API-Key': key, 'X-User-Id': 'alice' };
  await call('POST', '/rooms', alice, { type: 'group', name: 'Still here', members: [] });
  await signIn(page, MASTER, `/rooms?tenant=${id}`);
  await link(page, 'Still here').waitFor();
  await link(page, 'Users').click();
  await link(page, 'alice').waitFor();
  await stop();
  await page.getByText(AWAY).waitFor();
  await link(page, 'alice').waitFor();
  await link(page, 'Rooms').click();
  await link(page, 'Still here').waitFor();
  // A page that this tab has not fetched yet waits, too.
  await link(page, 'Dead letters').click();
  await page.getByText('Loading …').waitFor();
  expect(await page.getByText(AWAY).count()).toBe(1);
  expect(await page.getByRole('alert').count()).toBe(0);
  await start();
  await page.getByText(AWAY).waitFor({ state: 'detached' });
  await heading(page, 'Dead letters').waitFor();
  await heading(page, 'Everything is delivered, or on its way').waitFor();
  await link(page, 'Users').click();
  await link(page, 'alice').waitFor();
}

async function tellsBoth({ page }: WatchedPage, { page: other }: WatchedPage): Promise<void> {
  const { tenant_id: id, api_key: key } = await makeTenant('Both');
  await signIn(page, MASTER, `/tenants/${id}/settings`);
  await signIn(other, key, `/tenants/${id}/settings`);
  for (const [one, text] of [
    [page, 'Mine'],
    [other, 'Theirs'],
  ] as const)
    await one.getByLabel('Name', { exact: true }).fill(text);
  await button(other, 'Save').click();
  await heading(other, 'Theirs').waitFor();

  await button(page, 'Save').click();
  const told = page.getByRole('dialog', { name: 'Somebody else changed this tenant meanwhile' });
  await told.getByText('Name: Both → Theirs').waitFor();
  await told.getByText(/^The key “.+”$/).waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await button(told, 'Back to the form').click();
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Mine');
  await button(page, 'Save').click();
  await button(told, 'Save mine too').click();
  await heading(page, 'Mine').waitFor();

  // Whose page is older by now is told in turn, and takes what is there.
  await other.getByLabel('Name', { exact: true }).fill('Theirs again');
  await button(other, 'Save').click();
  const toldToo = other.getByRole('dialog', { name: 'Somebody else changed this tenant meanwhile' });
  await toldToo.getByText('The operator, with the master key,').waitFor();
  await button(toldToo, 'Discard mine').click();
  await toldToo.waitFor({ state: 'detached' });
  expect(await call('GET', `/admin/tenants/${id}`, { 'X-Master-Key': MASTER })).toMatchObject({ name: 'Mine' });
  await heading(other, 'Mine').waitFor();
}

describeWithBrowser('the console, when it is not alone', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(() => watched.close());

  it('says once that the server is away, keeps what was typed, also for another master key', () => keepsForm(watched));

  it('keeps lists while the server is away, and fetches what was asked for when it is back', () => keepsLists(watched));

  it('tells each of two admins what the other has saved, and who that was', async () => {
    const other = await openPage(url);
    await tellsBoth(watched, other).finally(() => other.close());
  });
});
