import type { Locator, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { AnswerGate, FakeModel, faults, ProviderServer } from '../support/fake-model';
import { ANTHROPIC_WIRE } from '../support/models/anthropic-wire';
import { answered, kept, seriousFaults } from '../support/pages';
import { until } from '../support/poll';

const EVIL = '<img src=x onerror="document.title=1">';
const MASTER = 'master-key-of-the-models-pages';

interface Made {
  readonly tenant_id: string;
  readonly api_key: string;
}

let model: ProviderServer;
let claude: ProviderServer;
let server: BuiltServer;

beforeAll(async () => {
  model = await FakeModel.start();
  claude = await ProviderServer.start(ANTHROPIC_WIRE);
  server = await startBuiltServer({
    MASTER_API_KEY: MASTER,
    CHANNEL_ALLOW_PRIVATE: 'true',
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: 'none',
  });
});
afterAll(async () => {
  await server.stop();
  await Promise.all([model.stop(), claude.stop()]);
});

function call<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  return answered<T>(server.url, method, path, { ...headers, 'X-Response-Format': 'bare' }, body);
}

function makeTenant(name: string, limits: object = {}): Promise<Made> {
  return call<Made>('POST', '/admin/tenants', { 'X-Master-Key': MASTER }, { name, limits });
}

async function signIn(page: Page, key: string, path: string): Promise<void> {
  await page.goto(`${server.url}/admin/ui${path}`);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

const button = (page: Page | Locator, name: string): Locator => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });

async function triesPreset({ page, problems }: WatchedPage): Promise<void> {
  const { api_key: key } = await makeTenant('Trying');
  const tenant = { 'X-API-Key': key };
  await call('POST', '/api/presets', tenant, { name: 'brief', systemPrompt: 'Be brief.' });
  await signIn(page, key, '/models?tab=presets');
  await button(page, 'Try brief').click();
  const box = page.getByRole('region', { name: 'Try a preset' });
  expect(await box.getByLabel('Preset').inputValue()).toBe('brief');

  const gate = new AnswerGate();
  model.next({ steps: ['Hel', 'lo ', EVIL, { hold: gate }, '!'] });
  await box.getByLabel('Question').fill('Hello?');
  await page.keyboard.press('Enter');
  await box.getByText(`Hello ${EVIL}`).waitFor();
  await box.getByText('writing', { exact: true }).waitFor();
  expect(await button(box, 'Ask').isDisabled()).toBe(true);
  gate.open();
  await box.getByText('completed', { exact: true }).waitFor();
  await box.getByText(`Hello ${EVIL}!`).waitFor();
  await box.getByText(/^first text after \d/).waitFor();
  await box.getByText(/^\d+ prompt \+ \d+ answer tokens/).waitFor();
  const asked = await model.request(1);
  expect(JSON.stringify(asked.body)).toContain('Be brief.');
  expect(await seriousFaults(page)).toEqual([]);

  const held = new AnswerGate();
  model.next({ steps: ['Never ', { hold: held }, 'ends'] });
  await box.getByLabel('Question').fill('And now?');
  await button(box, 'Ask').click();
  await box.getByText('Never', { exact: true }).waitFor();
  await button(box, 'Stop').click();
  await box.getByText('stopped', { exact: true }).waitFor();
  held.open();

  await keepsReasoning(page, tenant);

  // What was tried is gone with the page.
  const chats = (): Promise<{ total: number }> => call('GET', '/api/v1/chats/user/console', tenant);
  expect((await chats()).total).toBe(1);
  await page.getByRole('link', { name: 'Usage' }).click();
  await heading(page, 'Tokens today').waitFor();
  await until(chats, ({ total }) => total === 0);
  expect(await page.title()).toBe('Usage · ChatAPI console');
  expect(await kept(page)).not.toContain(key);
  expect(problems).toEqual([]);
}

async function keepsReasoning(page: Page, tenant: Record<string, string>): Promise<void> {
  await button(page, 'Change brief').click();
  await page.getByLabel('Keep with an answer what the model thought').check();
  await button(page.getByRole('dialog'), 'Save').click();
  await page.getByText('brief is saved').waitFor();
  expect(await call('GET', '/api/presets/brief', tenant)).toMatchObject({
    data: { keepReasoning: true, model: null },
  });
}

async function testsChannel({ page, problems }: WatchedPage): Promise<void> {
  const { api_key: key } = await makeTenant('Testing');
  const body = {
    name: 'claude',
    provider: 'anthropic',
    baseUrl: claude.url,
    apiKey: 'sk-x',
    model: 'claude-haiku-4-5',
  };
  await call('POST', '/api/channels', { 'X-API-Key': key }, body);
  claude.next({ steps: ['Hi'], finish: 'length' }, { ...faults.status(401), told: EVIL });
  await signIn(page, key, '/models');
  await button(page, 'Test claude').click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByText(/^works claude-haiku-4-5 answered within \d+ ms \(11 prompt \+ 1 answer tokens\)\.$/)
    .waitFor();
  expect(await seriousFaults(page)).toEqual([]);
  await button(dialog, 'Ask again').click();
  await dialog.getByText(/^fails claude-haiku-4-5 was asked within \d+ ms\.$/).waitFor();
  await dialog.getByText('HTTP 401').waitFor();
  await dialog.getByText(`“${EVIL}”`).waitFor();
  await button(dialog, 'Close').click();
  await button(page, 'Faults of claude').waitFor();
  // Nothing but a click asks: a test costs a token.
  expect(claude.requests).toHaveLength(2);
  await button(page, 'Change claude').click();
  expect(await page.getByRole('dialog').getByLabel('Provider', { exact: true }).inputValue()).toBe('anthropic');
  await page.getByRole('dialog').getByText('Empty is Anthropic.').waitFor();
  await page.getByLabel('Its models are shown the images of users').check();
  await button(page.getByRole('dialog'), 'Save').click();
  await page.getByText('claude is saved.').waitFor();
  expect(await call('GET', '/api/channels', { 'X-API-Key': key })).toMatchObject({
    data: { channels: [{ name: 'claude', provider: 'anthropic', vision: true, enabled: true }] },
  });
  expect(problems).toEqual([]);
}

async function showsBudgets({ page, problems }: WatchedPage): Promise<void> {
  const made = await makeTenant('Budgets', { tokens_per_day: 100_000, tokens_per_user_per_day: 1000 });
  const tenant = { 'X-API-Key': made.api_key };
  await call('POST', '/api/chat', tenant, { message: 'Hello', userId: 'ann' });
  await signIn(page, made.api_key, '/usage');
  const budget = page.getByRole('region', { name: 'Budget of today' });
  await budget.getByText(/^\d+ of 100,000 used, 99,\d+ left\./).waitFor();
  await budget.getByRole('meter', { name: 'Tokens of today’s budget' }).waitFor();
  await button(budget, 'Show today by user').click();
  expect(await page.getByLabel('By', { exact: true }).inputValue()).toBe('user');
  // Usage by user is counted by a job.
  const meter = page.getByRole('meter', { name: 'Budget of ann' });
  await until(
    async () => {
      await page.reload();
      await budget.waitFor();
      await page.getByText(/ to .*, UTC\./).waitFor();
      return meter.count();
    },
    (count) => count === 1,
  );
  expect(await seriousFaults(page)).toEqual([]);
  const master = { 'X-Master-Key': MASTER };
  await call('PATCH', `/admin/tenants/${made.tenant_id}`, master, { limits: { tokens_per_day: 1 } });
  await page.reload();
  await budget.getByText('the budget is spent, and whoever asks a model is refused').waitFor();
  expect(problems).toEqual([]);
}

async function removesRooms({ page, problems }: WatchedPage): Promise<void> {
  const made = await makeTenant('Removing');
  const alice = { 'X-API-Key': made.api_key, 'X-User-Id': 'alice' };
  const room = { type: 'group', name: EVIL, members: ['bob', 'carl'] };
  const { room_id: roomId } = await call<{ room_id: string }>('POST', '/rooms', alice, room);
  await call('POST', `/rooms/${roomId}/messages`, alice, { content: 'hello' });

  // The master key acts for no tenant.
  await signIn(page, MASTER, `/rooms/${roomId}?tenant=${made.tenant_id}`);
  await page.getByRole('region', { name: 'Members' }).waitFor();
  expect(await button(page, 'Remove').count()).toBe(0);
  await button(page, 'Sign out').click();
  await signIn(page, made.api_key, `/rooms/${roomId}`);
  await button(page, 'Take out bob').click();
  const member = page.getByRole('dialog');
  await member.getByText('1 of 3 members').waitFor();
  await member.getByText('it is done in the name of alice').waitFor();
  await member.getByLabel('Type bob to confirm').fill('bob');
  await button(member, 'Take them out').click();
  await member.waitFor({ state: 'detached' });
  await button(page, 'Take out bob').waitFor({ state: 'detached' });

  await button(page, 'Remove').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('1 message of 2 members can no longer be read,').waitFor();
  await dialog.getByText('in the name of alice').waitFor();
  expect(await button(dialog, 'Remove the room').isDisabled()).toBe(true);
  expect(await seriousFaults(page)).toEqual([]);
  await dialog.getByRole('textbox').fill(EVIL);
  await button(dialog, 'Remove the room').click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('deleted', { exact: true }).waitFor();
  const gone = await fetch(`${server.url}/rooms/${roomId}`, { headers: alice });
  expect(gone.status).toBe(404);
  expect(problems).toEqual([]);
}

function opened(key: string, userId: string): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?close_codes=1`, {
    headers: { 'X-API-Key': key, 'X-User-Id': userId },
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ closed }));
    socket.once('error', reject);
  });
}

async function closesAll({ page, problems }: WatchedPage): Promise<void> {
  const made = await makeTenant('Closing');
  const sockets = await Promise.all([1, 2, 3].map(() => opened(made.api_key, 'dora')));
  await opened(made.api_key, 'eve');
  await signIn(page, made.api_key, '/connections?user=dora');
  await button(page, 'Close all of dora').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('3 connections are closed.').waitFor();
  await dialog.getByLabel('Code').selectOption('4004');
  await button(dialog, 'Close them').click();
  expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([4004, 4004, 4004]);
  await dialog.waitFor({ state: 'detached' });
  await heading(page, 'dora has no open connection').waitFor();
  await page.getByLabel('Of the user').fill('');
  await page.getByRole('link', { name: 'eve' }).waitFor();
  expect(problems).toEqual([]);
}

describeWithBrowser('the console’s presets, budgets and removals', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(() => watched.close());

  it('try a preset: its answer streams, is stopped, and is gone with the page', () => triesPreset(watched));

  it('test a channel of Anthropic, and tell what came', () => testsChannel(watched));

  it('show how much of the day’s budgets is spent', () => showsBudgets(watched));

  it('take a member out, and remove a room with its name typed, for a key of the tenant', () => removesRooms(watched));

  it('close all connections of a user, and no others', () => closesAll(watched));
});
