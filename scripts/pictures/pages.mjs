/** The pages as they are to be seen, and what is done on each before its picture is taken. */
import { join } from 'node:path';

const WIDE = 1280;
const WIDTHS = [390, WIDE];
const SCHEMES = ['light', 'dark'];
const WAIT_MS = 15_000;
const SETTLE_MS = 700;
const REPAINT_MS = 150;
const SAID = [
  ['alice', 'Morning! Did the release go out?'],
  ['bob', 'At nine, as planned. No alarms since.'],
  ['alice', 'Then I cut your network now, and go on talking.'],
];
const WHILE_CUT = ['You do not see this yet.', 'Nor this one.', 'It is all in the log, though.'];

const person = (page, name) => page.getByRole('region', { name, exact: true });
const press = (scope, name) => scope.getByRole('button', { name }).first().click();

/** On a narrow screen one person is to be seen at a time. */
async function show(page, name) {
  const narrow = page.getByRole('navigation', { name: /narrow/ });
  if (await narrow.isVisible()) await narrow.getByRole('button', { name }).click();
}

async function say(page, name, text) {
  await show(page, name);
  const box = person(page, name).getByRole('textbox');
  await box.fill(text);
  await box.press('Enter');
  await person(page, name).getByText(text).first().waitFor();
}

async function openRoom(page, name, room) {
  await show(page, name);
  await person(page, name).getByRole('navigation').getByRole('button', { name: room }).click();
}

/** Two people talk, one is cut and comes back: the catch-up is to be seen. */
async function talk(page) {
  for (const name of ['alice', 'bob']) {
    await show(page, name);
    await person(page, name).getByText('Live', { exact: true }).waitFor();
    await openRoom(page, name, /general/);
  }
  for (const [name, text] of SAID) await say(page, name, text);
  await show(page, 'bob');
  const network = page.getByRole('switch', { name: 'Network of bob', exact: true });
  await network.click();
  for (const text of WHILE_CUT) await say(page, 'alice', text);
  await show(page, 'bob');
  await network.click();
  await person(page, 'bob').getByText('caught up').waitFor();
  await say(page, 'bob', 'There they are: none is missing.');
  await show(page, 'alice');
}

async function ask(page) {
  await openRoom(page, 'alice', /Assistant/);
  await say(page, 'alice', 'Where do I find my invoices?');
  await person(page, 'alice').getByText('Shall I send').or(person(page, 'alice').getByText('echo')).first().waitFor();
}

/** The doors, and what people see without the operator's key. Name, path, what is done before, and who is signed in. */
const FOR_ALL = [
  ['home', '/'],
  ['docs', '/docs'],
  ['docs-ws', '/docs/ws'],
  ['sign-in', '/admin/ui', undefined, 'nobody'],
  ['playground-door', '/playground', undefined, 'nobody'],
  ['playground-chat', '/playground', ask],
  ['playground-form', '/playground', writeFrame],
  ['playground-frame', '/playground', lookAtFrame],
  ['playground', '/playground', talk],
];

async function writeFrame(page) {
  await show(page, 'Frames');
  await press(page, 'Send a frame');
  await page.getByLabel('content', { exact: true }).waitFor();
}

async function lookAtFrame(page) {
  await talk(page);
  await show(page, 'Frames');
  await page.getByRole('option').last().click();
}

/** The pages of one tenant that has life, and of one that is new. */
function ofTenant({ acme, empty, hostile, rooms: [room] }) {
  const tenant = `/admin/ui/tenants/${acme}`;
  const of = (path) => `/admin/ui${path}${path.includes('?') ? '&' : '?'}tenant=${acme}`;
  const tabs = ['limits', 'settings', 'keys', 'webhook', 'exports', 'imports'];
  return [
    ...tabs.map((tab) => [`tenant-${tab}`, `${tenant}/${tab}`]),
    ['tenant-changed', tenant, (page) => page.getByLabel('Requests per second: own value').fill('300')],
    ['tenant-delete', tenant, (page) => press(page, 'Delete')],
    ['rooms', of('/rooms')],
    ['room', of(`/rooms/${room.id}`), (page) => press(page, /^Show messages/)],
    ['room-hostile', of(`/rooms/${hostile.id}`), (page) => press(page, /^Show messages/)],
    ['trace', of(`/rooms/${room.id}/messages/${room.message}`)],
    ['users', of('/users')],
    ['user', of('/users?id=alice')],
    ['connections', of('/connections')],
    ['dead-letters', of('/dead-letters')],
    ['audit', of('/audit')],
    ['audit-row', of('/audit'), (page) => press(page, /^Look at row/)],
    ['jobs-waiting', of('/jobs?state=queued')],
    ['usage', of('/usage')],
    ['usage-user', of('/usage?by=user')],
    ['usage-channel', of('/usage?by=channel')],
    ['models', '/admin/ui/models', undefined, 'admin'],
    ['models-presets', '/admin/ui/models?tab=presets', undefined, 'admin'],
    ...['rooms', 'users', 'connections', 'dead-letters', 'usage'].map((name) => [
      `empty-${name}`,
      `/admin/ui/${name}?tenant=${empty}`,
    ]),
    ['empty-webhook', `/admin/ui/tenants/${empty}/webhook`],
    ['live-tenant', of('/')],
  ];
}

/** The pages of the whole server; the live one last, when its charts are full. */
const OF_SERVER = [
  ['tenants', '/admin/ui/tenants'],
  ['tenants-create', '/admin/ui/tenants', (page) => press(page, 'Create a tenant')],
  ['choose', '/admin/ui/rooms'],
  ['palette', '/admin/ui/tenants', (page) => page.keyboard.press('Control+k')],
  ['audit-installation', '/admin/ui/audit'],
  ['jobs', '/admin/ui/jobs'],
  ['models-server', '/admin/ui/models'],
  ['live-24h', '/admin/ui/?range=24h'],
  ['live', '/admin/ui'],
];

/** Who is signed in where, as the pages keep it in their tab. */
function kept({ masterKey, acmeKey, demo }, who) {
  if (who === 'nobody') return '';
  const session = who === 'admin' ? { kind: 'admin', key: acmeKey } : { kind: 'master', key: masterKey };
  const players = { kind: 'key', key: demo.api_key, people: ['alice', 'bob'] };
  const put = (name, value) => `sessionStorage.setItem('${name}', ${JSON.stringify(JSON.stringify(value))});`;
  return put('chatapi.session', session) + put('chatapi.playground', players);
}

/** Opens a page, does what is to be done, and waits until it shows what it fetched. */
async function open(browser, server, [, path, act, who], width) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: 'light' });
  await context.addInitScript(kept(server, who));
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(server.url + path);
  await page.locator('main, .playground, .swagger-ui, article, section').first().waitFor();
  await page.locator('.loading').first().waitFor({ state: 'hidden' });
  await act?.(page);
  await page.locator('.loading').first().waitFor({ state: 'hidden' });
  // What is drawn after it was fetched: charts, and lists that are measured first.
  await page.waitForTimeout(SETTLE_MS);
  return page;
}

/**
 * Takes the pictures, in light and dark.
 * @param only names of pages begin with one of these; none: all
 */
export async function takePictures(browser, server, folder, only = [], widths = WIDTHS) {
  const pages = [...FOR_ALL, ...ofTenant(server), ...OF_SERVER];
  const isWanted = ([name]) => only.length === 0 || only.some((one) => name.startsWith(one));
  for (const each of pages.filter(isWanted))
    for (const width of widths) {
      const page = await open(browser, server, each, width);
      // A window that lies over a page covers what is seen of it, not all of it.
      const isWhole = !each[1].startsWith('/docs') && (await page.locator('dialog').count()) === 0;
      await page.evaluate('scrollTo(0, 0)');
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(REPAINT_MS);
        const path = join(folder, `${each[0]}-${width}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: isWhole });
        console.log(path);
      }
      await page.context().close();
    }
}

/** The two pictures of the README, as wide as GitHub shows them. */
export async function takeReadmePictures(browser, server, folder) {
  for (const [name, path, act] of [
    ['playground', '/playground', talk],
    ['console', '/admin/ui'],
  ]) {
    const page = await open(browser, server, [name, path, act], WIDE);
    await page.evaluate('document.activeElement?.blur()');
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    console.log(join(folder, `${name}.png`));
    await page.context().close();
  }
}
