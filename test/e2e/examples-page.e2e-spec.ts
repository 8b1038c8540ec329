import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestTenant } from '../support/app';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import type { Api } from '../support/http/api';
import { listAll, pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, createRoom, sendMany } from '../support/rooms';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const PATH = join(__dirname, '..', '..', 'examples', 'page.html');
const FILE = pathToFileURL(PATH).href;

/** Pages that are open. */
const pages: WatchedPage[] = [];

/** Opens the page as bob; how to wait for what it shows. */
async function open(app: SocketApp, tenant: TestTenant, roomId: string) {
  const watched = await openPage(app.url);
  pages.push(watched);
  const { page, problems } = watched;
  const settings = new URLSearchParams({ key: tenant.apiKey, user: 'bob', server: app.url, room: roomId });
  await page.goto(`${FILE}#${settings.toString()}`);
  const shows = (lines: number, text = ''): Promise<unknown> =>
    until(
      () => page.locator('#log li').allInnerTexts(),
      (all) => all.length === lines && all.at(-1)?.includes(text) === true,
    );
  await until(
    () => page.locator('#state').innerText(),
    (state) => state === 'live as bob',
  );
  return { page, problems, shows };
}

/** Says something while bob is no member. */
async function sayWithoutBob(alice: Api, roomId: string): Promise<void> {
  const members = `/rooms/${roomId}/members`;
  bodyOf(await alice.delete(`${members}/bob`), 204);
  await send(alice, roomId, { content: 'meanwhile' });
  bodyOf(await alice.post(members, { user_ids: ['bob'] }));
}

it('examples/page.html is short enough to be copied', () => {
  expect(readFileSync(PATH, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(100);
});

describeWithBrowser('examples/page.html, opened as a file', () => {
  let app: SocketApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startSocketApp();
    tenant = await app.tenant();
  });
  afterAll(async () => {
    await Promise.all(pages.map((each) => each.close()));
    await app.close();
  });

  it('sends, shows what comes, edits and deletions, and after a lost connection what it missed', async () => {
    const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
    const { page, problems, shows } = await open(app, tenant, room_id);
    await page.fill('#text', 'from the page <b>');
    await page.press('#text', 'Enter');
    await shows(1, 'bob: from the page <b>');
    const [first] = await listAll(tenant.as('alice'), room_id);
    expect(first).toMatchObject({ sender_id: 'bob', content: 'from the page <b>' });

    for (const connection of app.handler.opening) connection.close(4000, 'for the test');
    await sendMany(tenant.as('alice'), room_id, 520);
    await shows(521, 'alice: one of many');
    const last = await send(tenant.as('alice'), room_id, { content: 'last' });
    await shows(522, 'alice: last');
    bodyOf(await tenant.as('alice').patch(pathOf(room_id, last), { content: 'the very last' }));
    await shows(522, 'alice: the very last');
    bodyOf(await tenant.as('alice').delete(pathOf(room_id, last)), 204);
    await shows(522, '(deleted)');
    const numbers = await page.locator('#log li').evaluateAll((items) => items.map(({ id }) => Number(id)));
    expect(numbers).toEqual(Array.from({ length: 522 }, (_, i) => i + 1));
    expect(app.handler.opening.length).toBeGreaterThan(1);
    expect(problems).toEqual([]);
  });

  it('catches up with what was said while its user was no member', async () => {
    const alice = tenant.as('alice');
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const { shows, problems } = await open(app, tenant, room_id);
    await send(alice, room_id, { content: 'before' });
    await shows(1, 'alice: before');
    await sayWithoutBob(alice, room_id);
    await send(alice, room_id, { content: 'after' });
    await shows(3, 'alice: after');
    expect(problems).toEqual([]);
  });
});
