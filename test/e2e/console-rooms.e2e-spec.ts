import type { Locator, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { answered, kept, seriousFaults } from '../support/pages';

const EVIL = '<img src=x onerror="document.title=1">';
const ODD_USER = 'ops/eve?x=1';

let server: BuiltServer;
let masterKey: string;

beforeAll(async () => {
  server = await startBuiltServer();
  masterKey = /master_[\w-]+/.exec(server.output)?.[0] ?? '';
});
afterAll(() => server.stop());

function call<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  return answered<T>(server.url, method, path, { ...headers, 'X-Response-Format': 'bare' }, body);
}

/** A tenant with rooms, of which one has messages. */
interface Filled {
  readonly tenantId: string;
  readonly apiKey: string;
  readonly roomId: string;
  as<T>(userId: string, method: string, path: string, body?: object): Promise<T>;
}

async function fill(name: string): Promise<Filled> {
  const { tenant_id: tenantId, api_key: apiKey } = await call<{ tenant_id: string; api_key: string }>(
    ...['POST', '/admin/tenants', { 'X-Master-Key': masterKey }, { name }],
  );
  const as = <T>(userId: string, method: string, path: string, body?: object): Promise<T> =>
    call<T>(method, path, { 'X-API-Key': apiKey, 'X-User-Id': userId }, body);
  const members = ['bob', ODD_USER];
  const { room_id: roomId } = await as<{ room_id: string }>(
    ...['alice', 'POST', '/rooms', { type: 'group', name: EVIL, members }],
  );
  await as('alice', 'POST', '/rooms', { type: 'channel', name: 'News' });
  await as('alice', 'POST', '/rooms', { type: 'dm', members: ['bob'] });
  await as('alice', 'POST', `/rooms/${roomId}/messages`, { content: 'a secret word' });
  await as('bob', 'POST', `/rooms/${roomId}/messages`, { content: EVIL });
  return { tenantId, apiKey, roomId, as };
}

async function connect(apiKey: string, userId: string): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?close_codes=1`, {
    headers: { 'X-API-Key': apiKey, 'X-User-Id': userId },
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('open', resolve));
  return { closed };
}

async function signIn(page: Page, key: string, path: string): Promise<void> {
  await page.goto(`${server.url}/admin/ui${path}`);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

const button = (page: Page | Locator, name: string): Locator => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });
const link = (page: Page | Locator, name: string): Locator => page.getByRole('link', { name, exact: true });

interface AuditPage {
  readonly items: readonly { readonly action: string }[];
}

/** How often somebody looked at what was said. */
async function looks(tenantId: string): Promise<number> {
  const { items } = await call<AuditPage>(
    ...['GET', `/admin/audit?tenant_id=${tenantId}&limit=100`, { 'X-Master-Key': masterKey }],
  );
  return items.filter(({ action }) => action === 'room.read_content').length;
}

async function looksAtRooms({ page, problems, foreign }: WatchedPage): Promise<void> {
  const { tenantId, roomId } = await fill('Rooms');
  await signIn(page, masterKey, '/rooms');
  await heading(page, 'Rooms of one tenant').waitFor();
  await page.getByLabel('Tenant').selectOption(tenantId);
  const table = page.getByRole('region', { name: 'Rooms' });
  await link(table, 'Direct messages').waitFor();
  await page.getByLabel('Type').selectOption('channel');
  await link(table, EVIL).waitFor({ state: 'detached' });
  await link(table, 'News').waitFor();
  expect(page.url()).toContain('type=channel');
  await page.getByLabel('Name begins with').fill('nothing');
  await heading(page, 'No room fits').waitFor();
  await button(page, 'Show all rooms').click();
  await page.getByLabel('Name begins with').fill('<IMG');
  await link(table, 'News').waitFor({ state: 'detached' });
  expect(await seriousFaults(page)).toEqual([]);
  await link(table, EVIL).click();
  await heading(page, EVIL).waitFor();
  await link(page, ODD_USER).waitFor();

  expect(await page.content()).not.toContain('a secret word');
  expect(await looks(tenantId)).toBe(0);
  await button(page, 'Show messages (this is written to the audit log)').click();
  await page.getByText('a secret word', { exact: true }).waitFor();
  await page.getByRole('region', { name: 'Messages' }).getByText(EVIL, { exact: true }).waitFor();
  expect(await looks(tenantId)).toBe(1);
  expect(await seriousFaults(page)).toEqual([]);
  await link(page, 'Trace of message 1').click();
  await heading(page, 'Trace of message 1').waitFor();
  const bob = page.getByRole('article', { name: 'bob' });
  await bob.getByText('Not connected now').waitFor();
  await bob.getByText('Not read yet').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  // Back at the room what was shown is still there, and was not looked at once more.
  await page.goBack();
  await page.getByText('a secret word', { exact: true }).waitFor();
  expect(await looks(tenantId)).toBe(1);
  expect(page.url()).toContain(roomId);
  expect(await page.title()).toBe('Rooms · ChatAPI console');
  expect(await kept(page)).not.toContain(masterKey.slice(-8));
  expect({ problems, foreign }).toEqual({ problems: [], foreign: [] });
}

async function retainsRoom({ page, problems }: WatchedPage): Promise<void> {
  const { apiKey, roomId } = await fill('Retention');
  await signIn(page, apiKey, `/rooms/${roomId}`);
  await button(page, 'Keep messages …').click();
  await page.getByLabel('Legal hold').check();
  await button(page, 'Save').click();
  await page.getByText('legal hold', { exact: true }).first().waitFor();
  await button(page, 'Keep messages …').click();
  await page.getByLabel('Legal hold').uncheck();
  await page.getByLabel('Messages are kept').selectOption('own');
  await page.getByLabel('Days').fill('0');
  await page.getByText('A whole number from 1 to 3,650').waitFor();
  await page.getByLabel('Days').fill('30');
  expect(await seriousFaults(page)).toEqual([]);
  await button(page, 'Save').click();
  const asked = page.getByRole('dialog', { name: `Let messages of ${EVIL} go?` });
  await asked.getByText('out of 2 that the room keeps for its 3 members').waitFor();
  await asked.getByText('The legal hold ends').waitFor();
  await asked.getByRole('textbox').fill(EVIL);
  await button(asked, 'Save').click();
  await page.getByText('30 days', { exact: true }).waitFor();
  await asked.waitFor({ state: 'detached' });
  expect(problems).toEqual([]);
}

async function looksAtUsers({ page, problems }: WatchedPage): Promise<void> {
  const { tenantId, apiKey } = await fill('Users');
  await connect(apiKey, 'bob');
  await signIn(page, masterKey, `/users?tenant=${tenantId}`);
  await link(page, ODD_USER).click();
  await heading(page, ODD_USER).waitFor();
  await link(page, EVIL).waitFor();
  await link(page, 'Users').last().click();
  await page.getByLabel('Id begins with').fill('bo');
  await link(page, 'alice').waitFor({ state: 'detached' });
  await link(page, 'bob').click();
  await page.getByText('online', { exact: true }).waitFor();
  await button(page, 'Ask for the file').click();
  await page.getByText('ready', { exact: true }).waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await page.reload();
  const downloading = page.waitForEvent('download');
  await button(page, 'Download').click();
  expect((await downloading).suggestedFilename()).toMatch(/\.gz$/);

  await button(page, 'Legal hold').click();
  await button(page.getByRole('dialog'), 'Hold').click();
  await button(page, 'Erase').click();
  const asked = page.getByRole('dialog', { name: 'Erase bob?' });
  await asked.getByText('1 connection of theirs is closed, and they leave 2 rooms.').waitFor();
  await asked.getByText('A legal hold is on this user').waitFor();
  expect(await button(asked, 'Erase').isEnabled()).toBe(false);
  await asked.getByRole('textbox').fill('bob');
  await button(asked, 'Erase').click();
  await asked.getByRole('alert').getByText('CONFLICT').waitFor();
  await button(asked, 'Cancel').click();
  await button(page, 'End the legal hold').click();
  await page.getByRole('dialog').getByRole('textbox').fill('bob');
  await button(page, 'End the hold').click();
  await button(page, 'Legal hold').waitFor();
  await button(page, 'Erase').click();
  await asked.getByRole('textbox').fill('bob');
  await button(asked, 'Erase').click();
  await page.getByText('done: nothing of this user is left').waitFor();
  await page.getByRole('list', { name: 'What has gone or was changed' }).waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  // Refused, and then gone: the browser tells of both.
  expect(problems.filter((problem) => !/40[49]/.test(problem))).toEqual([]);
}

async function closesConnections({ page, problems }: WatchedPage): Promise<void> {
  const { apiKey } = await fill('Connections');
  await signIn(page, apiKey, '/connections');
  await heading(page, 'No open connection here').waitFor();
  const alice = await connect(apiKey, 'alice');
  await connect(apiKey, 'bob');
  // They come by themselves.
  const table = page.getByRole('region', { name: 'Connections' });
  await link(table, 'alice').waitFor();
  await link(table, 'bob').waitFor();
  await page.getByLabel('Of the user').fill('alice');
  await link(table, 'bob').waitFor({ state: 'detached' });
  expect(page.url()).toContain('user=alice');
  expect(await seriousFaults(page)).toEqual([]);
  // By the keyboard alone.
  await table.getByRole('button', { name: / of alice$/ }).focus();
  await page.keyboard.press('Enter');
  const asked = page.getByRole('dialog', { name: 'Close this connection of alice?' });
  await asked.getByLabel('Code').selectOption('4004');
  await asked.getByText('Its client stops.').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await button(asked, 'Close the connection').press('Enter');
  expect(await alice.closed).toBe(4004);
  await heading(page, 'alice has no open connection').waitFor();
  await button(page, 'Show those of all users').click();
  await link(table, 'bob').waitFor();
  expect(problems).toEqual([]);
}

async function fitsPhone({ page, problems }: WatchedPage, colorScheme: 'light' | 'dark'): Promise<void> {
  const { apiKey, roomId, as } = await fill(EVIL);
  await connect(apiKey, 'alice');
  const [message] = await as<{ message_id: string }[]>('alice', 'GET', `/rooms/${roomId}/messages`);
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, apiKey, '');
  for (const [path, wanted] of [
    ['/rooms', 'Rooms'],
    [`/rooms/${roomId}`, EVIL],
    [`/rooms/${roomId}/messages/${message?.message_id ?? ''}`, 'Trace of message 1'],
    ['/users', 'Users'],
    ['/users?id=alice', 'alice'],
    ['/connections', 'Connections'],
  ] as const) {
    await page.goto(`${server.url}/admin/ui${path}`);
    await heading(page, wanted).waitFor();
    await link(page, 'alice').or(link(page, EVIL)).first().waitFor();
    const wide: number = await page.evaluate('document.documentElement.scrollWidth');
    expect({ path, wide, faults: await seriousFaults(page) }).toEqual({ path, wide: 390, faults: [] });
  }
  expect(problems).toEqual([]);
}

describeWithBrowser('the console’s rooms, users and connections', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(() => watched.close());

  it('finds rooms, shows what was said after a press alone, and traces a message', () => looksAtRooms(watched));

  it('holds a room, and asks for its name before messages may go', () => retainsRoom(watched));

  it('finds users, hands out their data, and erases one with the id typed', () => looksAtUsers(watched));

  it('shows connections as they come and go, and closes one with a code', () => closesConnections(watched));

  it.each(['light', 'dark'] as const)('is readable on a phone, on every page (%s)', (scheme) =>
    fitsPhone(watched, scheme),
  );
});
