import type { Locator, Page } from 'playwright-core';
import { describeWithBrowser, openPage, shows, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { kept, seriousFaults } from '../support/pages';
import { exportFile, MADE_AT, roomLines, userLine } from '../support/transfer/files';

const EVIL = '<img src=x onerror="document.title=1">';
const PART = 4 * 1024 ** 2;
const MASTER = 'master-key-of-the-imports-pages';

let server: BuiltServer;

beforeAll(async () => {
  server = await startBuiltServer({ MASTER_API_KEY: MASTER });
});
afterAll(() => server.stop());

async function makeTenant(name: string): Promise<string> {
  const answer = await fetch(`${server.url}/admin/tenants`, {
    method: 'POST',
    headers: { 'X-Master-Key': MASTER, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  return ((await answer.json()) as { tenant_id: string }).tenant_id;
}

async function signIn(page: Page, path: string): Promise<void> {
  await page.goto(`${server.url}/admin/ui${path}`);
  await page.getByLabel('Key').fill(MASTER);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

const button = (page: Page | Locator, name: string): Locator => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });

interface ChosenFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const fileOf = (name: string, buffer: Buffer): ChosenFile => ({ name, mimeType: 'application/gzip', buffer });

async function begin(page: Page, file: ChosenFile): Promise<void> {
  await button(page, 'Import a file').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('File').setInputFiles(file);
  await button(dialog, 'Send and check it').click();
  await heading(page, 'Import from ChatAPI').waitFor();
}

const USERS = [userLine('ann'), userLine('ben')];

async function importsFile({ page, problems }: WatchedPage): Promise<void> {
  const id = await makeTenant('Imports');
  await signIn(page, `/tenants/${id}/imports`);
  await heading(page, 'No import yet').waitFor();
  const rooms = roomLines({ members: ['ann', 'ben'], room: { name: EVIL }, messages: [{}, {}, {}] });
  await begin(page, fileOf(`${EVIL}.ndjson.gz`, exportFile([...USERS, ...rooms])));
  await page.getByText('No fault found: the file can be taken in.').waitFor();
  await page.getByText(`${EVIL}.ndjson.gz is there`).waitFor();
  expect(await seriousFaults(page)).toEqual([]);

  // The address keeps it: whoever comes back finds it where it stands.
  await page.reload();
  await button(page, 'Take it in …').click();
  const dialog = page.getByRole('dialog', { name: 'Take this file into Imports?' });
  await dialog.getByText('were checked, with no fault.').waitFor();
  await button(dialog, 'Take it in').click();
  await page.getByText(/^All of it is there since .* with the ids of the file\.$/).waitFor();
  const made = page.locator('dl', { hasText: 'messages' });
  await made.getByText('3', { exact: true }).waitFor();
  expect(await seriousFaults(page)).toEqual([]);

  await page.getByRole('link', { name: 'All imports' }).click();
  const row = page.getByRole('region', { name: 'Imports' }).getByRole('row', { name: /ChatAPI done/ });
  await row.waitFor();
  await page.goto(`${server.url}/admin/ui/rooms?tenant=${id}`);
  await page.getByRole('link', { name: EVIL }).waitFor();
  expect(await page.title()).toBe('Rooms · ChatAPI console');
  expect(await kept(page)).not.toContain(MASTER);
  expect(problems).toEqual([]);
}

async function tellsFaults({ page, problems }: WatchedPage): Promise<void> {
  const id = await makeTenant('Faults');
  await signIn(page, `/tenants/${id}/imports`);
  await heading(page, 'No import yet').waitFor();
  // Every other message is as old as the room: 600 of 1,200 stand before the one above them; the last line is none.
  const messages = Array.from({ length: 1200 }, (_, i) => (i % 2 === 1 ? { created_at: MADE_AT } : {}));
  await begin(page, fileOf('bad.gz', exportFile([...USERS, ...roomLines({ members: ['ann'], messages }), '{ broken'])));
  await heading(page, '601 faults').waitFor();
  const table = page.getByRole('region', { name: 'Faults' });
  const rows = table.locator('tbody tr');
  await rows.first().waitFor();
  expect(await rows.first().innerText()).toMatch(
    /line 7\s+created_at\s+must not be before that of the message above it/,
  );
  // Of so many there are as many rows as are seen.
  expect(await rows.count()).toBeLessThan(100);
  await button(page, 'the line is not valid JSON · 1').click();
  await shows(rows, 1);
  expect(await rows.first().innerText()).toMatch(/line 1,206\s+–\s+the line is not valid JSON/);
  expect(await button(page, 'Take it in …').count()).toBe(0);
  expect(await seriousFaults(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(problems).toEqual([]);
}

/** Three parts: the second is held until the page was looked at and left. */
async function sendsParts({ page }: WatchedPage): Promise<void> {
  const id = await makeTenant('Parts');
  await signIn(page, `/tenants/${id}/imports`);
  await heading(page, 'No import yet').waitFor();
  let isHeld = true;
  const seen: string[] = [];
  await page.route(/\/file\?part=/, async (route) => {
    const part = new URL(route.request().url()).searchParams.get('part') ?? '';
    seen.push(part);
    if (part === '2' && isHeld) await route.abort();
    else await route.continue();
  });
  // No gzip, so it is found bad; what counts is that all of it came.
  const bytes = Buffer.alloc(2 * PART + 1000, 'x');
  await begin(page, fileOf('large.gz', bytes));
  await page.getByText('large.gz: 4 MB of 8 MB are there. The server does not take the next part now').waitFor();
  await page.getByRole('link', { name: 'Live', exact: true }).first().click();
  await page.getByText('Sending large.gz for an import: 49 %, waiting for the server.').waitFor();
  await page.getByRole('link', { name: 'Look at it' }).click();
  await button(page, 'Stop sending').click();
  await button(page, 'Go on sending').waitFor();

  // A reload loses the file: it has to be the same one, and goes on behind the part that is there.
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await page.getByText('1 part of it is there').waitFor();
  await page.getByLabel('The same file').setInputFiles(fileOf('other.gz', Buffer.from('another one')));
  await page.getByText('This is another file, or it was changed.').waitFor();
  expect(await button(page, 'Go on sending').isDisabled()).toBe(true);
  expect(await seriousFaults(page)).toEqual([]);
  isHeld = false;
  expect(new Set(seen)).toEqual(new Set(['1', '2']));
  await page.getByRole('link', { name: 'All imports' }).click();
  await begin(page, fileOf('large.gz', bytes));
  await heading(page, '1 fault').waitFor();
  await page.getByText('the file is no gzip, or was cut off').first().waitFor();
  await page.getByText('large.gz is there: 8 MB').waitFor();
  expect(new Set(seen)).toEqual(new Set(['1', '2', '3']));
}

async function byKeyboard({ page }: WatchedPage): Promise<void> {
  const id = await makeTenant('Keys alone');
  await signIn(page, `/tenants/${id}/imports`);
  await heading(page, 'No import yet').waitFor();
  await button(page, 'Import a file').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await page.keyboard.press('Tab');
  const focused = await page.evaluate('document.activeElement.type');
  expect(focused).toBe('file');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
}

describeWithBrowser('the console’s imports', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(() => watched.close());

  it('send a file, have it checked, and take it in', () => importsFile(watched));

  it('tell faults by line and kind, and write nothing', () => tellsFaults(watched));

  it('go on part by part while other pages are looked at, and stop by a press', () => sendsParts(watched));

  it('can be begun by the keyboard alone', () => byKeyboard(watched));
});
