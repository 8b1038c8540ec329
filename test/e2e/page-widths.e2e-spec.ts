import type { Locator, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { deadJob } from '../support/jobs';
import { answered, seriousFaults } from '../support/pages';
import { uuidOf } from '../support/tenants';

/** As long as names may be, without a place to break. */
const LONG = 'Gesellschaft_für_Rindfleischetikettierungsüberwachungsaufgaben'.repeat(3).slice(0, 100);
const LONG_USER = 'user-'.repeat(20).slice(0, 100);

let database: TestDatabase;
let server: BuiltServer;
let masterKey: string;
let tenant: { readonly tenant_id: string; readonly api_key: string };
let roomId: string;
let messageId: string;
let socket: WebSocket;

function call<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  return answered<T>(server.url, method, path, { ...headers, 'X-Response-Format': 'bare' }, body);
}

/** Something on every page: rooms, people who are there, what was not delivered, a job that was given up. */
async function fill(): Promise<void> {
  tenant = await call('POST', '/admin/tenants', { 'X-Master-Key': masterKey }, { name: LONG });
  const key = { 'X-API-Key': tenant.api_key };
  const alice = { ...key, 'X-User-Id': LONG_USER };
  const room = { type: 'group', name: LONG, members: ['bob', 'carl'] };
  ({ room_id: roomId } = await call<{ room_id: string }>('POST', '/rooms', alice, room));
  const said = { content: 'word '.repeat(60) + LONG };
  ({ message_id: messageId } = await call<{ message_id: string }>('POST', `/rooms/${roomId}/messages`, alice, said));
  // Of somebody who never comes: bob does, in the playground, and then his letter is settled.
  await database.sql(`SELECT dead_letters_add($1, $2, 'carl', 1, 1, 5, $3)`, [
    uuidOf(tenant.tenant_id),
    uuidOf(roomId),
    `ack timeout ${LONG}`,
  ]);
  await deadJob(database, { tenantId: tenant.tenant_id });
  await call('POST', '/api/channels', key, { name: LONG.slice(0, 60), provider: 'echo' });
  socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?sync=manual`, { headers: alice });
  await new Promise((resolve) => socket.once('open', resolve));
}

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startBuiltServer({ DATABASE_URL: database.url });
  masterKey = /master_[\w-]+/.exec(server.output)?.[0] ?? '';
  await fill();
});
afterAll(async () => {
  socket.terminate();
  await server.stop();
  await database.drop();
});

const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });

/** Controls that are cut off: beyond the page where nothing scrolls to them, or narrower than what stands in them. */
const CUT = `(() => {
  const scrolls = (one) => one !== null && (['auto', 'scroll'].includes(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  const isShown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.closest('.skip, .hidden-text') === null;
  return [...document.querySelectorAll('button, a, input, select, textarea, summary, [role="switch"]')]
    .filter(isShown)
    .filter((one) => {
      const { left, right, width } = one.getBoundingClientRect();
      const isBeyond = (left < 0 || right > innerWidth + 0.5) && !scrolls(one.parentElement);
      return isBeyond || width === 0 || (one.matches('button') && one.scrollWidth > one.clientWidth + 1);
    })
    .map((one) => one.outerHTML.slice(0, 160));
})()`;

/** What is wrong with the page as it stands, at its width. */
async function faults(page: Page): Promise<object> {
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  const beyond: number = await page.evaluate('Math.max(0, document.scrollingElement.scrollWidth - innerWidth)');
  return { beyond, cut: await page.evaluate<string[]>(CUT), serious: await seriousFaults(page) };
}

const NONE = { beyond: 0, cut: [], serious: [] };

async function signIn(page: Page, key: string): Promise<void> {
  await page.goto(`${server.url}/admin/ui`);
  await page.getByLabel('Key').waitFor();
  expect(await faults(page)).toEqual(NONE);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('each second').waitFor();
}

/** Opens pages of the console, each of which has something that says it is there. */
async function fits(page: Page, paths: readonly (readonly [string, Locator])[]): Promise<void> {
  const found: Record<string, object> = {};
  for (const [path, wanted] of paths) {
    await page.goto(`${server.url}/admin/ui${path}`);
    await wanted.first().waitFor();
    found[path] = await faults(page);
  }
  expect(found).toEqual(Object.fromEntries(paths.map(([path]) => [path, NONE])));
}

async function fitsOperator({ page }: WatchedPage): Promise<void> {
  const { tenant_id: id } = tenant;
  await signIn(page, masterKey);
  await fits(page, [
    ['', page.getByRole('row', { name: new RegExp(LONG) })],
    ['/tenants', page.getByRole('link', { name: LONG })],
    [`/tenants/${id}/limits`, page.getByLabel('Requests per second', { exact: true })],
    [`/tenants/${id}/settings`, page.getByLabel('Name', { exact: true })],
    [`/tenants/${id}/keys`, page.getByRole('button', { name: /^Rotate / })],
    [`/tenants/${id}/webhook`, page.getByRole('button', { name: 'Set a webhook' })],
    [`/tenants/${id}/exports`, page.getByRole('button', { name: 'Export this tenant' })],
    [`/audit?tenant=${id}`, page.getByRole('button', { name: /^Look at row/ })],
    [`/jobs?tenant=${id}`, page.getByRole('button', { name: /^Run now / })],
    ['/rooms', heading(page, 'Rooms of one tenant')],
  ]);
  await page.goto(`${server.url}/admin/ui/tenants/${id}/limits`);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('textbox').waitFor();
  expect(await faults(page)).toEqual(NONE);
}

async function fitsTenant({ page }: WatchedPage): Promise<void> {
  await signIn(page, tenant.api_key);
  await fits(page, [
    ['/rooms', page.getByRole('link', { name: LONG })],
    [`/rooms/${roomId}`, page.getByRole('link', { name: LONG_USER })],
    [`/rooms/${roomId}/messages/${messageId}`, page.getByRole('article', { name: 'bob' })],
    ['/users', page.getByRole('link', { name: LONG_USER })],
    [`/users?id=${LONG_USER}`, heading(page, LONG_USER)],
    ['/connections', page.getByRole('button', { name: /^Close / })],
    ['/dead-letters', page.getByRole('button', { name: /^Replay dl_/ })],
    ['/jobs', page.getByText('boom')],
    ['/usage', page.getByText(/ to .*, UTC\./)],
    ['/models', page.getByRole('button', { name: /^Remove / })],
  ]);
}

/** The first page, and the playground: its door, two people, each panel where one is shown at a time, and the form. */
async function fitsVisitor({ page }: WatchedPage, width: number): Promise<void> {
  await page.goto(server.url);
  await page.getByText('works', { exact: true }).waitFor();
  expect(await faults(page)).toEqual(NONE);
  await page.goto(`${server.url}/playground`);
  await page.getByLabel('API key').fill(tenant.api_key);
  expect(await faults(page)).toEqual(NONE);
  await page.getByLabel('People').fill(`${LONG_USER}, bob`);
  await page.getByRole('button', { name: 'Open the playground' }).click();
  const bob = page.getByRole('region', { name: 'bob', exact: true });
  if (width < 720)
    await page
      .getByRole('navigation', { name: /narrow/ })
      .getByRole('button', { name: 'bob' })
      .click();
  await bob.getByText('Live', { exact: true }).waitFor();
  await bob.getByRole('button', { name: LONG }).click();
  await bob.getByText(/^word word/).waitFor();
  expect(await faults(page)).toEqual(NONE);
  if (width < 720)
    await page
      .getByRole('navigation', { name: /narrow/ })
      .getByRole('button', { name: 'Frames' })
      .click();
  await page.getByRole('button', { name: 'Send a frame' }).click();
  await page.getByLabel('content', { exact: true }).waitFor();
  expect(await faults(page)).toEqual(NONE);
}

describeWithBrowser.each([360, 1920])('at %i px', (width) => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width, height: width < 720 ? 780 : 1080 });
  });
  afterEach(async () => {
    expect(watched.problems).toEqual([]);
    await watched.close();
  });

  it('the operator’s pages have all of their controls in sight', () => fitsOperator(watched));

  it('a tenant’s pages have all of their controls in sight', () => fitsTenant(watched));

  it('the first page and the playground have all of their controls in sight', () => fitsVisitor(watched, width));
});
