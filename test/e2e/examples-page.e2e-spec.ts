import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestTenant } from '../support/app';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { listAll, pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, createRoom, sendMany } from '../support/rooms';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const FILE = pathToFileURL(join(__dirname, '..', '..', 'examples', 'page.html')).href;

/** Opens the page as bob; how to wait for what it shows. */
async function open(app: SocketApp, tenant: TestTenant, roomId: string) {
  const watched = await openPage(app.url);
  const { page, problems } = watched;
  const settings = new URLSearchParams({ key: tenant.apiKey, user: 'bob', server: app.url, room: roomId });
  await page.goto(`${FILE}#${settings.toString()}`);
  const shows = (lines: number, text = ''): Promise<unknown> =>
    until(
      () => page.locator('#log li').allInnerTexts(),
      (all) => all.length === lines && all.at(-1)?.includes(text) === true,
      20_000,
    );
  await until(
    () => page.locator('#state').innerText(),
    (state) => state === 'live as bob',
    20_000,
  );
  return { watched, page, problems, shows };
}

describeWithBrowser('examples/page.html, opened as a file', () => {
  let app: SocketApp;
  let tenant: TestTenant;
  let watched: WatchedPage | undefined;

  beforeAll(async () => {
    app = await startSocketApp();
    tenant = await app.tenant();
  });
  afterAll(async () => {
    await watched?.close();
    await app.close();
  });

  it('sends, shows what comes, edits and deletions, and after a lost connection what it missed', async () => {
    const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
    const opened = await open(app, tenant, room_id);
    watched = opened.watched;
    const { page, problems, shows } = opened;
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
});
