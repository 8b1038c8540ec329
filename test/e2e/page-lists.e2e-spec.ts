import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { seriousFaults } from '../support/pages';
import { until } from '../support/poll';

const LISTS = join(__dirname, '..', 'fixtures', 'long-lists.sql');
const DEMO = '01900000-0000-7000-8000-0000000000d2';
/** What is seen and a few rows on either side, however many there are. */
const MOST_ROWS = 100;

let database: TestDatabase;
let server: BuiltServer;
let masterKey: string;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startBuiltServer({ DATABASE_URL: database.url });
  masterKey = /master_[\w-]+/.exec(server.output)?.[0] ?? '';
  await database.sql(readFileSync(LISTS, 'utf8').replaceAll(':tenant', `'${DEMO}'`));
  await database.sql('ANALYZE');
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${server.url}/admin/ui${path}?tenant=tenant_${DEMO.replaceAll('-', '')}`);
  await page.getByLabel('Key').fill(masterKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

interface Rendered {
  /** Places of the rows that are rendered, from 1, and what stands in their first column. */
  readonly rows: readonly (readonly [number, string])[];
  /** Those that stand for the others included. */
  readonly count: number;
}

/** What of the table is rendered, once there is a row; it never is much. */
async function rendered(page: Page): Promise<Rendered> {
  await page.locator('tbody tr[data-index]').first().waitFor();
  const now = await page.evaluate<Rendered>(`({
    rows: [...document.querySelectorAll('tbody tr[data-index]')].map((row) => [
      Number(row.dataset.index) + 1, row.firstElementChild.innerText,
    ]),
    count: document.querySelectorAll('tbody tr').length,
  })`);
  expect(now.count).toBeLessThanOrEqual(MOST_ROWS);
  return now;
}

/** Scrolls to the end as often as it takes until the list has had so many rows. @returns what stood at which place */
async function scrollTo(page: Page, last: number): Promise<Map<number, string>> {
  const seen = new Map<number, string>();
  await until(
    async () => {
      for (const [place, text] of (await rendered(page)).rows) seen.set(place, text);
      // Never past what is rendered: each place comes into sight.
      await page.evaluate(`[...document.querySelectorAll('tbody tr[data-index]')].at(-1).scrollIntoView()`);
      return seen.size;
    },
    () => seen.has(last),
  );
  return seen;
}

const row = (page: Page, place: number): Locator => page.locator(`tbody tr[data-index="${place - 1}"]`);

async function goesThroughRooms({ page }: WatchedPage): Promise<void> {
  const cursors = new Set<string | null>();
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === '/admin/rooms') cursors.add(searchParams.get('cursor'));
  });
  await open(page, '/rooms');
  const first = row(page, 1).getByRole('link');
  await first.waitFor();
  const name = await first.innerText();
  await rendered(page);
  expect([...cursors]).toEqual([null]);
  expect(await seriousFaults(page)).toEqual([]);
  await first.focus();
  const seen = await scrollTo(page, 500);
  // Every place was seen on the way down, each with another room.
  expect([...seen.keys()].sort((a, b) => a - b).slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
  expect(new Set(seen.values()).size).toBe(seen.size);
  expect(cursors.size).toBeGreaterThanOrEqual(5);
  // A row with the focus stays, far above what is seen.
  expect(await page.evaluate('document.activeElement.textContent')).toBe(name);
  await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
  await row(page, 1).getByRole('link', { name, exact: true }).waitFor();
  await row(page, 500).waitFor({ state: 'detached' });
}

describeWithBrowser('the console’s long lists', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(async () => {
    expect(watched.problems).toEqual([]);
    await watched.close();
  });

  it('goes through 10,000 rooms by cursor while it is scrolled, with the focus where it was', () =>
    goesThroughRooms(watched));

  it('goes through 1,000 tenants to the last of them', async () => {
    const { page } = watched;
    await open(page, '/tenants');
    await page.getByText(/^1,0\d\d tenants$/).waitFor();
    const [{ count } = { count: 0 }] = await database.sql<{ count: number }>(
      'SELECT count(*)::int AS count FROM tenants',
    );
    await scrollTo(page, count);
    await page.getByRole('button', { name: 'Show more' }).waitFor({ state: 'detached' });
    expect((await rendered(page)).rows.at(-1)?.[0]).toBe(count);
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(count + 1));
  });

  it('shows the newest of 100,000 dead letters, and says that there are more', async () => {
    const { page } = watched;
    await open(page, '/dead-letters');
    await page.getByText('1,000 dead letters', { exact: true }).waitFor();
    await page.getByText('There are more: the newest 1,000 of each kind are shown.').waitFor();
    await scrollTo(page, 1000);
    await row(page, 1000)
      .getByRole('button', { name: /^Replay dl_/ })
      .waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  });
});
