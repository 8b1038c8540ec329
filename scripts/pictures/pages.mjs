/** The pages as they are to be seen, and what is done on each before its picture is taken. */
import { join } from 'node:path';

const WIDTHS = [390, 1280];
const SCHEMES = ['light', 'dark'];
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

/** Name, path, and what is done before; `{acme}` and its like are filled in. */
function pagesOf({ acme, empty, rooms: [room] }) {
  const tenant = `/admin/ui/tenants/${acme}`;
  const of = (path) => `/admin/ui${path}${path.includes('?') ? '&' : '?'}tenant=${acme}`;
  return [
    ['home', '/'],
    ['docs', '/docs'],
    ['docs-ws', '/docs/ws'],
    ['sign-in', '/admin/ui', undefined, 'nobody'],
    ['playground-door', '/playground', undefined, 'nobody'],
    ['playground', '/playground', talk],
    [
      'playground-frame',
      '/playground',
      async (page) => {
        await talk(page);
        await show(page, 'Frames');
        await page.getByRole('option').last().click();
      },
    ],
    [
      'playground-form',
      '/playground',
      async (page) => {
        await show(page, 'Frames');
        await press(page, 'Send a frame');
        await page.getByLabel('content', { exact: true }).waitFor();
      },
    ],
    ['playground-chat', '/playground', ask],
    ['tenants', '/admin/ui/tenants'],
    ['tenants-create', '/admin/ui/tenants', (page) => press(page, 'Create a tenant')],
    ...['limits', 'settings', 'keys', 'webhook', 'exports'].map((tab) => [`tenant-${tab}`, `${tenant}/${tab}`]),
    ['tenant-delete', tenant, (page) => press(page, 'Delete')],
    ['tenant-changed', tenant, (page) => page.getByLabel('Requests per second: own value').fill('300')],
    ['rooms', of('/rooms')],
    ['room', of(`/rooms/${room.id}`)],
    ['room-messages', of(`/rooms/${room.id}`), (page) => press(page, /^Show messages/)],
    ['trace', of(`/rooms/${room.id}/messages/${room.message}`)],
    ['users', of('/users')],
    ['user', of('/users?id=alice')],
    ['connections', of('/connections')],
    ['dead-letters', of('/dead-letters')],
    ['audit', of('/audit')],
    ['audit-row', of('/audit'), (page) => press(page, /^Look at row/)],
    ['audit-installation', '/admin/ui/audit'],
    ['jobs', '/admin/ui/jobs'],
    ['jobs-queued', '/admin/ui/jobs?state=queued'],
    ['usage', of('/usage')],
    ['usage-user', of('/usage?by=user')],
    ['usage-channel', of('/usage?by=channel')],
    ['models-master', of('/models')],
    ['models', '/admin/ui/models', undefined, 'admin'],
    ['models-presets', '/admin/ui/models?tab=presets', undefined, 'admin'],
    ['palette', of('/rooms'), (page) => page.keyboard.press('Control+k')],
    ['choose', '/admin/ui/rooms'],
    ...['rooms', 'users', 'connections', 'dead-letters', 'usage'].map((name) => [
      `empty-${name}`,
      `/admin/ui/${name}?tenant=${empty}`,
    ]),
    ['empty-webhook', `/admin/ui/tenants/${empty}/webhook`],
    ['live-24h', '/admin/ui/?range=24h'],
    ['live-tenant', of('/')],
    ['live', '/admin/ui'],
  ];
}

/** Who is signed in where, as the pages keep it in their tab. */
function kept({ masterKey, acmeKey, demo }, who) {
  if (who === 'nobody') return '';
  const session = who === 'admin' ? { kind: 'admin', key: acmeKey } : { kind: 'master', key: masterKey };
  const players = { kind: 'key', key: demo.api_key, people: ['alice', 'bob'] };
  const put = (name, value) => `sessionStorage.setItem('${name}', ${JSON.stringify(JSON.stringify(value))});`;
  return put('chatapi.session', session) + put('chatapi.playground', players);
}

/** Opens a page, does what is to be done, and waits until it shows what it fetched. */
async function open(browser, server, [, path, act, who], options) {
  const context = await browser.newContext(options);
  await context.addInitScript(kept(server, who));
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(server.url + path);
  await page.locator('.loading').first().waitFor({ state: 'hidden' });
  await act?.(page);
  await page.locator('.loading').first().waitFor({ state: 'hidden' });
  await page.waitForTimeout(700);
  return { page, close: () => context.close() };
}

/**
 * Takes all pictures.
 * @param only names begin with one of these; none: all
 */
export async function takePictures(browser, server, folder, only = [], widths = WIDTHS, schemes = SCHEMES) {
  const wanted = pagesOf(server).filter(([name]) => only.length === 0 || only.some((one) => name.startsWith(one)));
  for (const each of wanted)
    for (const width of widths)
      for (const colorScheme of schemes) {
        const path = join(folder, `${each[0]}-${width}-${colorScheme}.png`);
        const { page, close } = await open(browser, server, each, { viewport: { width, height: 800 }, colorScheme });
        await page.screenshot({ path, fullPage: !each[1].startsWith('/docs') });
        await close();
        console.log(path);
      }
}
