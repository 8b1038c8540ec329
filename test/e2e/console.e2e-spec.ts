import { randomBytes } from 'node:crypto';
import type { Locator, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { describeWithBrowser, openPage, shows, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { answered, kept, seriousFaults } from '../support/pages';
import { until } from '../support/poll';

const EVIL = '<img src=x onerror="document.title=1">';

interface Made {
  readonly tenant_id: string;
  readonly api_key: string;
}

let server: BuiltServer;
let masterKey: string;

beforeAll(async () => {
  server = await startBuiltServer();
  masterKey = /master_[\w-]+/.exec(server.output)?.[0] ?? '';
});
afterAll(() => server.stop());

function call<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  return answered<T>(server.url, method, path, headers, body);
}

function operator<T>(method: string, path: string, body?: object): Promise<T> {
  return call<T>(method, path, { 'X-Master-Key': masterKey }, body);
}

function makeTenant(name: string): Promise<Made> {
  return operator<Made>('POST', '/admin/tenants', { name });
}

/** Opens the console and signs in, as a person does: by pasting a key. */
async function signIn(page: Page, key: string, path = ''): Promise<void> {
  await page.goto(`${server.url}/admin/ui${path}`);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

const button = (page: Page | Locator, name: string): Locator => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });

async function signsIn({ page, foreign }: WatchedPage): Promise<void> {
  await page.goto(`${server.url}/admin/ui/tenants`);
  await page.getByLabel('Key').fill(`master_${randomBytes(16).toString('hex')}`);
  await page.keyboard.press('Enter');
  const alert = page.getByRole('alert');
  await alert.waitFor();
  expect(await alert.innerText()).toMatch(/\S+ .*AUTHENTICATION_ERROR · /s);
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByLabel('Key').fill(masterKey);
  await page.keyboard.press('Enter');
  await heading(page, 'Tenants').waitFor();
  expect(await kept(page)).not.toContain(masterKey.slice(-8));
  expect(page.url()).not.toContain(masterKey.slice(-8));
  await page.reload();
  await heading(page, 'Tenants').waitFor();
  await button(page, 'Sign out').click();
  await page.getByLabel('Key').waitFor();
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  expect(foreign).toEqual([]);
}

async function createsTenant({ page, problems }: WatchedPage): Promise<void> {
  await signIn(page, masterKey, '/tenants');
  await button(page, 'Create a tenant').click();
  await page.getByLabel('Name').fill(EVIL);
  await button(page, 'Create').click();
  const apiKey = await page.getByRole('region', { name: 'API key' }).innerText();
  expect(apiKey).toMatch(/^chatapi_\w{30,}$/);
  expect(await page.getByRole('region', { name: 'Command' }).innerText()).toContain(`'X-API-Key: ${apiKey}'`);
  // The browser asks only about the first Escape, and closes it at the second: it is opened again.
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.getByRole('region', { name: 'API key' }).waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByRole('link', { name: 'Its limits, settings and keys' }).click();
  await heading(page, EVIL).waitFor();
  expect(await page.content()).not.toContain(apiKey);

  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?close_codes=1`, {
    headers: { 'X-API-Key': apiKey, 'X-User-Id': 'alice' },
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('open', resolve));
  await button(page, 'Suspend').click();
  const window = page.getByRole('dialog');
  await window.getByText('1 connection is closed, of 1 user online.').waitFor();
  expect(await button(window, 'Suspend').isEnabled()).toBe(false);
  await window.getByRole('textbox').fill(EVIL);
  await button(window, 'Suspend').click();
  await page.getByText('suspended', { exact: true }).waitFor();
  expect(await closed).toBe(4004);
  await button(page, 'Resume').click();
  await button(page.getByRole('dialog'), 'Resume').click();
  await page.getByText('active', { exact: true }).waitFor();
  expect(await page.title()).toBe('Tenants · ChatAPI console');
  expect(problems).toEqual([]);
}

async function changesValues({ page, problems }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant('Two admins');
  await signIn(page, masterKey, `/tenants/${id}`);
  const pick = page.getByLabel('Requests per second', { exact: true });
  await pick.selectOption('own');
  const typed = page.getByLabel('Requests per second: own value');
  await typed.fill('many');
  await page.getByText('A whole number from 0 to 1,000,000,000').waitFor();
  expect(await button(page, 'Save').isEnabled()).toBe(false);
  await typed.fill('250');
  // Another page keeps what was typed.
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Name', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Limits' }).click();
  expect(await typed.inputValue()).toBe('250');

  await operator('PATCH', `/admin/tenants/${id}`, { limits: { rooms: 5 }, name: 'Two admins, renamed' });
  await button(page, 'Save').click();
  const told = page.getByRole('dialog', { name: 'Somebody else changed this tenant meanwhile' });
  await told.getByText('Rooms: unlimited → 5').waitFor();
  await told.getByText('Name: Two admins → Two admins, renamed').waitFor();
  await told.getByText('The operator, with the master key,').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await button(told, 'Save mine too').click();
  await told.waitFor({ state: 'detached' });
  const row = page.locator('.value-row', { has: pick });
  await row.getByText('own value', { exact: true }).waitFor();
  await row.getByText('default 100', { exact: true }).waitFor();
  const tenant = await operator<{ limits: object }>('GET', `/admin/tenants/${id}`);
  expect(tenant.limits).toMatchObject({ requests_per_second: 250, rooms: 5 });
  await pick.selectOption('default');
  await button(page, 'Save').click();
  await row.getByText('default', { exact: true }).waitFor();

  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Days that messages are kept').selectOption('own');
  await page.getByLabel('Days that messages are kept: own value').fill('30');
  await button(page, 'Save').click();
  const asked = page.getByRole('dialog', { name: 'Keep messages 30 days only?' });
  await asked.getByText('older than 30 days are deleted').waitFor();
  await asked.getByRole('textbox').fill('Two admins, renamed');
  await button(asked, 'Delete what is older').click();
  await asked.waitFor({ state: 'detached' });
  expect(await operator('GET', `/admin/tenants/${id}`)).toMatchObject({ settings: { retention_days: 30 } });
  expect(problems).toEqual([]);
}

async function managesKeys({ page, problems }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant('Keys');
  await signIn(page, masterKey, `/tenants/${id}/keys`);
  await button(page, 'Create a key').click();
  await page.getByLabel('Name').fill('backend');
  await page.getByLabel('admin: manage').check();
  await page.getByLabel('Expires').selectOption('30');
  await button(page, 'Create').click();
  const secret = page.getByRole('region', { name: 'API key' });
  const first = await secret.innerText();
  await button(page, 'I have kept it').click();
  const rows = page.getByRole('row', { name: /^backend/ });
  await rows.getByText('works until').waitFor();
  expect(await call('GET', '/whoami', { 'X-API-Key': first })).toMatchObject({ scopes: ['chat', 'admin'] });

  await button(page, 'Rotate backend').click();
  await page.getByLabel('The old key works on').selectOption('0');
  await button(page, 'Rotate').click();
  const second = await secret.innerText();
  await button(page, 'I have kept it').click();
  await rows.getByText('expired').or(rows.getByText('revoked')).first().waitFor();
  await expect(call('GET', '/whoami', { 'X-API-Key': first })).rejects.toThrow('401');
  expect(await call('GET', '/whoami', { 'X-API-Key': second })).toMatchObject({ tenant_id: id });

  await button(page, 'Revoke backend').click();
  const window = page.getByRole('dialog');
  await window.getByText('0 open connections were opened with it, and are closed.').waitFor();
  await window.getByRole('textbox').fill('backend');
  await button(window, 'Revoke').click();
  await window.waitFor({ state: 'detached' });
  await until(
    () => call('GET', '/whoami', { 'X-API-Key': second }).then(String, String),
    (answer) => answer.includes('401'),
  );
  expect(await seriousFaults(page)).toEqual([]);
  expect(problems).toEqual([]);
}

async function setsWebhook({ page }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant('Hooks');
  await signIn(page, masterKey, `/tenants/${id}/webhook`);
  await button(page, 'Set a webhook').click();
  const url = page.getByLabel('URL');
  await url.fill('http://127.0.0.1/hook');
  await button(page, 'Save').click();
  await page.getByRole('alert').getByText('must not lead to a private').waitFor();
  await url.fill('https://hooks.invalid/chat');
  await page.getByLabel('message.created').check();
  const others = { url: 'https://others.invalid/hook', events: ['room.created'] };
  await operator('PATCH', `/admin/tenants/${id}`, { limits: { rooms: 9 }, settings: { webhook: others } });
  await button(page, 'Save').click();
  const told = page.getByRole('alert');
  await told.getByText('The operator, with the master key, changed the webhook at').waitFor();
  await told.getByText('It now posts room.created to https://others.invalid/hook.').waitFor();
  await button(page, 'Replace it with mine').click();
  expect(await page.getByRole('region', { name: 'Secret' }).innerText()).toMatch(/^whsec_/);
  await button(page, 'I have kept it').click();
  await page.getByText('https://hooks.invalid/chat').waitFor();
  await button(page, 'Post a test').click();
  const row = page.getByRole('row', { name: /^webhook\.test/ });
  await row.getByText('failed', { exact: true }).waitFor();
  await row.getByRole('button').click();
  await page.getByRole('dialog').getByText(/^wh_/).waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await button(page, 'Close').click();
  await button(page, 'Remove').click();
  await page.getByRole('dialog').getByRole('textbox').fill('Hooks');
  await button(page.getByRole('dialog'), 'Remove').click();
  await heading(page, 'No webhook').waitFor();
}

async function endsSession({ page }: WatchedPage): Promise<void> {
  const { tenant_id: id, api_key: apiKey } = await makeTenant('Ended');
  await signIn(page, apiKey);
  await page.getByText('each second').waitFor();
  expect(await page.getByRole('combobox', { name: 'Tenant' }).count()).toBe(0);
  await operator('PATCH', `/admin/tenants/${id}`, { status: 'suspended' });
  await page.getByRole('alert').getByText('Your tenant was suspended').waitFor();
  await page.getByLabel('Key').waitFor();
  await operator('PATCH', `/admin/tenants/${id}`, { status: 'active' });
  await page.getByLabel('Key').fill(apiKey);
  await button(page, 'Sign in').click();
  await page.getByText('each second').waitFor();
  const { keys } = await operator<{ keys: { key_id: string }[] }>('GET', `/admin/tenants/${id}/keys`);
  await operator('DELETE', `/admin/tenants/${id}/keys/${keys[0]?.key_id ?? ''}`);
  await page.getByRole('alert').getByText('This key is no longer good').waitFor();
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
}

async function watchesLive({ page, problems, foreign }: WatchedPage): Promise<void> {
  const { tenant_id: id, api_key: apiKey } = await makeTenant('Busy');
  const alice = { 'X-API-Key': apiKey, 'X-User-Id': 'alice' };
  const room = await call<{ room_id: string }>('POST', '/rooms', alice, { type: 'group', name: 'g', members: [] });
  await signIn(page, masterKey, `/?tenant=${id}`);
  const messages = page.getByRole('region', { name: 'Messages per second' });
  await page.getByText('each second').waitFor();
  expect(await page.getByRole('region', { name: 'Event loop delay' }).count()).toBe(0);
  const send = (): Promise<unknown> =>
    call('POST', `/rooms/${room.room_id}/messages`, alice, { content: 'moves the chart' });
  await until(
    async () => {
      await send();
      return messages.locator('.now').innerText();
    },
    (now) => Number(now) > 0,
  );
  await page.getByLabel('Tenant').selectOption('');
  await page.getByRole('region', { name: 'Event loop delay' }).waitFor();
  await page.getByRole('row', { name: /^Busy/ }).waitFor();
  await page.getByRole('table').last().getByText('there', { exact: true }).waitFor();
  await shows(page.locator('canvas'), 8);

  const chart = messages.getByRole('slider');
  await chart.hover();
  const readout = page.locator('.readout');
  await readout.getByText('Time of a send, p99').waitFor();
  await shows(readout.locator('p'), 11);
  await page.mouse.move(5, 5);
  await readout.waitFor({ state: 'detached' });
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  await readout.waitFor();
  await until(
    () => chart.getAttribute('aria-valuetext'),
    (said) => /: Messages per second [\d.]+$/.test(said ?? ''),
  );

  await button(page, '7 days').click();
  await page.waitForURL(/range=7d/);
  await page.locator('canvas').first().waitFor();
  await page.reload();
  await page.getByRole('button', { name: '7 days', exact: true, pressed: true }).waitFor();
  expect(problems).toEqual([]);
  expect(foreign).toEqual([]);
}

async function usesKeyboard({ page, problems }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant('Palette & keys');
  await signIn(page, masterKey);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await page.keyboard.type('tenants');
  await page.keyboard.press('Enter');
  await heading(page, 'Tenants').waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('palette');
  await page.getByRole('option', { name: /^Palette & keys tenant_/ }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await heading(page, 'Palette & keys').waitFor();
  expect(page.url()).toContain(id);
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  // Every place that the Tab key comes to can be seen, and it comes to the last one.
  const reached: string[] = [];
  for (let i = 0; i < 60 && !reached.includes('Members of one room'); i++) {
    await page.keyboard.press('Tab');
    const label: string = await page.evaluate(`(() => {
      const { activeElement: at } = document;
      const label = at.getAttribute('aria-labelledby');
      const named = label === null ? at : document.getElementById(label);
      return named.innerText || at.getAttribute('aria-label') || at.tagName;
    })()`);
    reached.push(label.trim());
  }
  expect(reached).toEqual(expect.arrayContaining(['Suspend', 'Limits', 'Keys', 'Members of one room']));
  expect(problems).toEqual([]);
}

async function comesBack({ page }: WatchedPage): Promise<void> {
  const { tenant_id: id } = await makeTenant('Away');
  await signIn(page, masterKey, `/tenants/${id}/settings`);
  const name = page.getByLabel('Name', { exact: true });
  await name.fill('Away and back');
  await page.context().setOffline(true);
  const note = page.getByText('The server does not answer.');
  await note.waitFor();
  await button(page, 'Save').click();
  await page.getByRole('alert').getByText('The server does not answer').waitFor();
  expect(await name.inputValue()).toBe('Away and back');
  await page.context().setOffline(false);
  await note.waitFor({ state: 'detached' });
  await button(page, 'Save').click();
  await heading(page, 'Away and back').waitFor();
}

async function fitsPhone({ page, problems }: WatchedPage, colorScheme: 'light' | 'dark'): Promise<void> {
  const { tenant_id: id } = await makeTenant(EVIL);
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, masterKey);
  for (const [path, wanted] of [
    ['', 'Live'],
    ['/tenants', 'Tenants'],
    ...['limits', 'settings', 'keys', 'webhook'].map((tab) => [`/tenants/${id}/${tab}`, EVIL] as const),
  ] as const) {
    await page.goto(`${server.url}/admin/ui${path}`);
    await heading(page, wanted).waitFor();
    await page.waitForLoadState('load');
    const wide: number = await page.evaluate('document.documentElement.scrollWidth');
    expect({ path, wide, faults: await seriousFaults(page) }).toEqual({ path, wide: 390, faults: [] });
  }
  expect(await page.title()).toBe('Tenants · ChatAPI console');
  expect(problems).toEqual([]);
}

describeWithBrowser('the console', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(() => watched.close());

  it('asks for a key, says what is wrong with one, and keeps it for the tab alone', () => signsIn(watched));

  it('creates a tenant, shows its key once, suspends it with its name typed, and resumes it', () =>
    createsTenant(watched));

  it('changes limits and settings, and tells who saves that somebody else did meanwhile', () => changesValues(watched));

  it('creates, rotates and revokes keys', () => managesKeys(watched));

  it('sets a webhook, shows its secret once, tests it and shows what was posted', () => setsWebhook(watched));

  it('ends the session of a suspended tenant, and of a revoked key, with one sentence and the way on', () =>
    endsSession(watched));

  it('moves with what happens, shows all lines at a time, and goes back seven days', () => watchesLive(watched));

  it('can be used by the keyboard alone', () => usesKeyboard(watched));

  it('says that the server is away, keeps what was typed, and goes on by itself', () => comesBack(watched));

  it.each(['light', 'dark'] as const)('is readable on a phone, on every page (%s)', (scheme) =>
    fitsPhone(watched, scheme),
  );
});
