import type { Locator, Page } from 'playwright-core';
import { describeWithBrowser, openPage, shows, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { until } from '../support/poll';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { deadJob } from '../support/jobs';
import { answered, kept, seriousFaults } from '../support/pages';
import { uuidOf } from '../support/tenants';

const EVIL = '<img src=x onerror="document.title=1">';

interface Made {
  readonly tenant_id: string;
  readonly api_key: string;
}

let database: TestDatabase;
let server: BuiltServer;
let masterKey: string;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startBuiltServer({ DATABASE_URL: database.url });
  masterKey = /master_[\w-]+/.exec(server.output)?.[0] ?? '';
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

function call<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  return answered<T>(server.url, method, path, headers, body);
}

function makeTenant(name: string): Promise<Made> {
  return call<Made>('POST', '/admin/tenants', { 'X-Master-Key': masterKey }, { name });
}

/** A room in which bob never got so many messages. */
async function deadLetters({ tenant_id: id, api_key: key }: Made, count: number): Promise<void> {
  const alice = { 'X-API-Key': key, 'X-User-Id': 'alice' };
  const room = { type: 'group', name: EVIL, members: ['bob'] };
  const { room_id: roomId } = await call<{ room_id: string }>('POST', '/rooms', alice, room);
  for (let seq = 0; seq < count; seq++) await call('POST', `/rooms/${roomId}/messages`, alice, { content: 'unread' });
  await database.sql(`SELECT dead_letters_add($1, $2, 'bob', 1, $3, 5, $4)`, [
    uuidOf(id),
    uuidOf(roomId),
    count,
    `ack timeout ${EVIL}`,
  ]);
}

async function signIn(page: Page, key: string, path: string): Promise<void> {
  await page.goto(`${server.url}/admin/ui${path}`);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

const button = (page: Page | Locator, name: string): Locator => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });

async function handlesLetters({ page, problems }: WatchedPage): Promise<void> {
  const tenant = await makeTenant(EVIL);
  await deadLetters(tenant, 3);
  await signIn(page, masterKey, `/dead-letters?tenant=${tenant.tenant_id}`);
  await page.getByText('3 dead letters', { exact: true }).waitFor();
  await shows(page.getByText(`ack timeout ${EVIL}`), 3);
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByLabel('User id').fill('nobody');
  await heading(page, 'None like this').waitFor();
  await page.getByLabel('User id').fill('bob');
  await page.reload();
  expect(await page.getByLabel('User id').inputValue()).toBe('bob');
  await button(page, 'Replay these').click();
  const window = page.getByRole('dialog');
  await heading(page, 'Replay 3 dead letters?').waitFor();
  await button(window, 'Replay').click();
  await page.getByText('3 dead letters on the way again').waitFor();
  await page
    .getByRole('button', { name: /^Drop dl_/ })
    .first()
    .click();
  await button(window, 'Drop').click();
  await page.getByText('1 dead letter dropped.').waitFor();
  await button(page, 'Drop these').click();
  await window.getByRole('textbox').fill('2');
  expect(await seriousFaults(page)).toEqual([]);
  await button(window, 'Drop').click();
  await heading(page, 'None like this').waitFor();
  expect(await kept(page)).not.toContain(masterKey.slice(-8));
  expect(problems).toEqual([]);
}

async function readsAudit({ page, problems }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant('Watched');
  await call('PATCH', `/admin/tenants/${id}`, { 'X-Master-Key': masterKey }, { name: EVIL });
  await signIn(page, masterKey, `/audit?tenant=${id}`);
  await button(page, 'Verify').click();
  await page.getByText(/\d rows? proven, up to row \d/).waitFor();
  await page.getByLabel('Action', { exact: true }).selectOption('tenant.update');
  await page.waitForURL(/action=tenant\.update/);
  await page.getByRole('table').getByText(EVIL).waitFor();
  const looks = page.getByRole('button', { name: /^Look at row/ });
  // The rows of before stay until those of the filter are there.
  await until(
    () => looks.count(),
    (count) => count === 1,
  );
  await looks.click();
  await page.getByRole('dialog').getByText('master key').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.goto(`${server.url}/admin/ui/audit`);
  await page.getByText('What was done to the installation itself.').waitFor();
  expect(problems).toEqual([]);
}

/** Each page fits a narrow screen in the dark, and says with the master key which key models need. */
async function fitsPhone({ page }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant(EVIL);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, masterKey, '/jobs');
  for (const [path, wanted] of [
    ['/dead-letters', 'Dead letters'],
    ['/audit', 'Audit'],
    ['/jobs', 'Jobs'],
    ['/usage', 'Usage'],
    ['/models', 'Channels and presets are a tenant’s own'],
    [`/tenants/${id}/exports`, 'Exports'],
  ] as const) {
    await page.goto(`${server.url}/admin/ui${path}?tenant=${id}`);
    await heading(page, wanted).waitFor();
    const wide: number = await page.evaluate('document.documentElement.scrollWidth');
    expect({ path, wide, faults: await seriousFaults(page) }).toEqual({ path, wide: 390, faults: [] });
  }
}

async function runsJobs({ page, problems }: WatchedPage): Promise<void> {
  const { tenant_id: tenantId } = await makeTenant('Jobs');
  const id = await deadJob(database, { tenantId });
  await signIn(page, masterKey, `/jobs?tenant=${tenantId}`);
  await page.getByText('boom').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await button(page, `Run now ${id}`).focus();
  await page.keyboard.press('Enter');
  await button(page.getByRole('dialog'), 'Run now').click();
  await heading(page, 'No job was given up').waitFor();
  expect(problems).toEqual([]);
}

async function showsUsage({ page, problems }: WatchedPage): Promise<void> {
  const tenant = await makeTenant('Used');
  await signIn(page, tenant.api_key, '/usage');
  await page.getByText(/ to .*, UTC\./).waitFor();
  await page.getByLabel('By', { exact: true }).selectOption('user');
  await page.waitForURL(/by=user/);
  expect(await seriousFaults(page)).toEqual([]);
  expect(problems).toEqual([]);
}

async function keepsModels({ page, problems }: WatchedPage): Promise<void> {
  const { api_key: key } = await makeTenant('Models');
  await signIn(page, key, '/models');
  await button(page, 'Add a channel').click();
  await page.getByLabel('Name').fill(EVIL);
  await page.getByLabel('Provider', { exact: true }).selectOption('echo');
  await button(page, 'Add').click();
  await page.getByRole('table').getByText(EVIL).waitFor();
  await button(page, `Remove ${EVIL}`).click();
  await page.getByRole('dialog').getByRole('textbox').fill(EVIL);
  await button(page.getByRole('dialog'), 'Remove').click();
  await heading(page, 'No channel of your own').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await button(page, 'Presets').click();
  await button(page, 'Add a preset').click();
  await page.getByLabel('Name').fill('pirate');
  await page.getByLabel('What the model is told first').fill('You are a pirate.');
  await button(page, 'Add').click();
  await button(page, 'Change pirate').click();
  await page.getByLabel('What the model is told first').fill('You are a captain.');
  await button(page, 'Save').click();
  await page.getByRole('table').getByText('You are a captain.').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  expect(problems).toEqual([]);
}

async function endsTenant({ page, problems }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant(EVIL);
  await signIn(page, masterKey, `/tenants/${id}/exports`);
  await button(page, 'Export this tenant').click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Download exp_/ }).click();
  expect((await download).suggestedFilename()).toMatch(/gz$/);
  expect(page.url()).not.toContain('ticket');
  expect(await seriousFaults(page)).toEqual([]);
  await button(page, 'Delete').click();
  const window = page.getByRole('dialog');
  await window.getByText('0 messages of the last year').waitFor();
  await window.getByRole('textbox').fill(EVIL);
  await button(window, 'Delete for good').click();
  await page.getByRole('region', { name: 'Deletion' }).waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  expect(problems).toEqual([]);
}

describeWithBrowser('the console at work', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(() => watched.close());

  it('replays and drops dead letters, one or by filter, with the count first', () => handlesLetters(watched));

  it('shows who changed what, and proves the log', () => readsAudit(watched));

  it('runs a job that was given up', () => runsJobs(watched));

  it('tells usage by day and by user', () => showsUsage(watched));

  it('adds, changes and removes channels and presets', () => keepsModels(watched));

  it('is readable on a phone, in the dark', () => fitsPhone(watched));

  it('exports a tenant, and deletes it with its name typed', () => endsTenant(watched));
});
