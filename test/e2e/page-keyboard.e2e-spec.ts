import type { Page } from 'playwright-core';
import { describeWithBrowser, openPage, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { AnswerGate, FakeModel, type ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';
import { uuidOf } from '../support/tenants';
import { answered } from '../support/pages';

/** No page has more places that Tab comes to. */
const MOST_TABS = 120;

let database: TestDatabase;
let model: ProviderServer;
let server: BuiltServer;
let masterKey: string;
let demoKey: string;

beforeAll(async () => {
  model = await FakeModel.start();
  database = await createTestDatabase();
  const env = { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'a key of the fake', DATABASE_URL: database.url };
  server = await startBuiltServer(env);
  masterKey = /master_[\w-]+/.exec(server.output)?.[0] ?? '';
  demoKey = /chatapi_[0-9A-Za-z]+/.exec(server.output)?.[0] ?? '';
});
afterAll(async () => {
  await server.stop();
  await database.drop();
  await model.stop();
});

function call<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  return answered<T>(server.url, method, path, headers, body);
}

interface Focus {
  /** What is read out of the element with the focus; empty: nothing has it. */
  readonly name: string;
  /** Within which person of the playground, window or table. */
  readonly within: string;
  /** Whether one sees that it has the focus. */
  readonly isSeen: boolean;
}

const FOCUS = `(() => {
  const at = document.activeElement;
  if (at === document.body) return { name: '', within: '', isSeen: true };
  const named = (one) => {
    const by = one.getAttribute('aria-labelledby');
    return one.getAttribute('aria-label') ?? (by === null ? one.labels?.[0]?.textContent ?? one.textContent
      : document.getElementById(by).textContent);
  };
  const around = at.parentElement.closest('dialog, [role="region"], section[aria-label]');
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  return {
    name: named(at).trim(),
    within: around === null ? '' : named(around).trim(),
    // Parts of a date show it themselves; the content of the page has it only where nothing else has.
    isSeen: at.matches('main, [type="date"]') || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1),
  };
})()`;

function focus(page: Page): Promise<Focus> {
  return page.evaluate<Focus>(FOCUS);
}

/** Presses Tab until a place has the focus; each on the way shows that it has it. */
async function tabTo(page: Page, name: string | RegExp, within = ''): Promise<void> {
  const passed: string[] = [];
  for (let n = 0; n < MOST_TABS; n++) {
    const at = await focus(page);
    expect({ ...at, isSeen: true }).toEqual(at);
    if ((typeof name === 'string' ? at.name === name : name.test(at.name)) && at.within.includes(within)) return;
    passed.push(at.name);
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab did not come to ${String(name)}, but to ${JSON.stringify(passed)}`);
}

async function press(page: Page, name: string | RegExp, within = ''): Promise<void> {
  await tabTo(page, name, within);
  await page.keyboard.press('Enter');
}

/** What is opened or closed takes the focus along a moment later. */
async function focused(page: Page, name: string | RegExp): Promise<void> {
  await until(
    () => focus(page),
    (at) => (typeof name === 'string' ? at.name === name : name.test(at.name)),
  );
}

/** The focus is somewhere in the page, not at its top. */
async function somewhere(page: Page): Promise<void> {
  await until(
    () => page.evaluate<string>('document.activeElement.tagName'),
    (tag) => tag !== 'BODY',
  );
}

const shown = (page: Page, text: string | RegExp): Promise<void> =>
  page.getByText(text, { exact: true }).first().waitFor();

async function signIn(page: Page, path: string): Promise<void> {
  await page.goto(`${server.url}/admin/ui${path}`);
  await focused(page, 'Key');
  await page.keyboard.type(masterKey);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

async function createsTenant(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Tenants', exact: true }).waitFor();
  await press(page, 'Create a tenant');
  await focused(page, 'Name');
  // A window that is left gives the focus back.
  await page.keyboard.press('Escape');
  await focused(page, 'Create a tenant');
  await page.keyboard.press('Enter');
  await focused(page, 'Name');
  await page.keyboard.type('By keys');
  await page.keyboard.press('Enter');
  await shown(page, 'By keys is there');
  await press(page, 'I have kept it', 'By keys is there');
  await focused(page, 'Create a tenant');
  await press(page, 'By keys');
  await page.getByRole('heading', { name: 'By keys', exact: true }).waitFor();
  await somewhere(page);
}

async function suspendsTenant(page: Page): Promise<void> {
  await press(page, 'Suspend');
  await focused(page, 'Type By keys to confirm');
  await page.keyboard.type('By keys');
  await press(page, 'Suspend', 'Suspend By keys?');
  await shown(page, 'suspended');
  await focused(page, 'Resume');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await press(page, 'Resume', 'Resume By keys?');
  await shown(page, 'active');
  await focused(page, 'Suspend');
}

async function rotatesKey(page: Page): Promise<void> {
  await press(page, 'Keys');
  await page.getByRole('button', { name: 'Create a key' }).waitFor();
  await page.getByRole('button', { name: /^Rotate / }).waitFor();
  await press(page, /^Rotate /);
  await page.getByRole('dialog').waitFor();
  await press(page, 'Rotate', 'Rotate ');
  await shown(page, 'The key is there');
  await press(page, 'I have kept it', 'The key is there');
  await focused(page, /^Rotate /);
}

async function deletesTenant(page: Page): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type('By keys');
  await page.getByRole('option', { name: /^By keys tenant_/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await somewhere(page);
  await page.evaluate('document.querySelector("main").focus()');
  await press(page, 'Delete');
  await focused(page, 'Type By keys to confirm');
  await page.keyboard.type('By keys');
  await press(page, 'Delete for good', 'Delete By keys?');
  await page.getByRole('region', { name: 'Deletion' }).waitFor();
  await somewhere(page);
}

/** Two messages that bob never got. */
async function deadLetters(): Promise<void> {
  const alice = { 'X-API-Key': demoKey, 'X-User-Id': 'alice' };
  const room = { type: 'group', name: 'unheard', members: ['bob'] };
  const { room_id: roomId } = await call<{ room_id: string }>('POST', '/rooms', alice, room);
  for (const content of ['one', 'two']) await call('POST', `/rooms/${roomId}/messages`, alice, { content });
  await database.sql(`SELECT dead_letters_add($1, $2, 'bob', 1, 2, 5, 'ack timeout')`, [
    '01900000-0000-7000-8000-0000000000d2',
    uuidOf(roomId),
  ]);
}

async function handlesLetters(page: Page): Promise<void> {
  await deadLetters();
  await signIn(page, '/dead-letters?tenant=tenant_019000000000700080000000000000d2');
  await shown(page, '2 dead letters');
  await press(page, /^Replay dl_/);
  await shown(page, 'Replay 1 dead letter?');
  await press(page, 'Replay', 'Replay 1');
  await page.getByText('1 dead letter on the way again').waitFor();
  await focused(page, /^Replay dl_/);
  await press(page, /^Drop dl_/);
  await shown(page, 'Drop 1 dead letter?');
  await press(page, 'Drop', 'Drop 1');
  await shown(page, '1 dead letter dropped.');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  // What had the focus is gone: it goes on in the page, and comes to the letter that is left.
  await somewhere(page);
  await press(page, /^Drop dl_/);
  await shown(page, 'Drop 1 dead letter?');
  await page.keyboard.press('Escape');
  await focused(page, /^Drop dl_/);
}

/** Opens the playground for two, each with the channel open. */
async function joins(page: Page): Promise<void> {
  await page.goto(`${server.url}/playground#demo`);
  await focused(page, 'API key');
  await page.keyboard.type(demoKey);
  await tabTo(page, 'People');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('alice, bob');
  await page.keyboard.press('Enter');
  for (const name of ['alice', 'bob']) {
    const person = page.getByRole('region', { name, exact: true });
    await person.getByText('Live', { exact: true }).waitFor();
    await person.getByRole('button', { name: /general/ }).waitFor();
    await press(page, /general/, name);
    await person.getByRole('textbox', { name: `Message to general as ${name}` }).waitFor();
  }
}

async function talks(page: Page): Promise<void> {
  const [alice, bob] = ['alice', 'bob'].map((name) => page.getByRole('region', { name, exact: true }));
  await joins(page);
  await press(page, 'Network of bob');
  await bob?.getByText('Cut', { exact: true }).waitFor();
  await page.keyboard.press('Shift+Tab');
  await tabTo(page, 'Message to general as alice', 'alice');
  await page.keyboard.type('typed by keys alone');
  await page.keyboard.press('Enter');
  await alice?.getByText('typed by keys alone').waitFor();
  expect(await focus(page)).toMatchObject({ name: 'Message to general as alice' });
  await press(page, 'Network of bob');
  await bob?.getByText('typed by keys alone').waitFor();
  await bob?.getByText('Live', { exact: true }).waitFor();
}

async function asks(page: Page): Promise<void> {
  const alice = page.getByRole('region', { name: 'alice', exact: true });
  const gate = new AnswerGate();
  model.next({ steps: ['One ', 'two ', { hold: gate }, 'three'] });
  await press(page, '+ New chat', 'alice');
  await alice.getByRole('textbox', { name: 'Ask the assistant as alice' }).waitFor();
  await tabTo(page, 'Ask the assistant as alice', 'alice');
  await page.keyboard.type('Count');
  await page.keyboard.press('Enter');
  await alice.getByText('One two', { exact: false }).waitFor();
  await press(page, 'Stop', 'alice');
  await alice.getByText('cancelled').waitFor();
  gate.open();
  // The button has nothing to stop any more: what is asked next is typed at once.
  await focused(page, 'Ask the assistant as alice');
}

describeWithBrowser('by the keyboard alone', () => {
  let watched: WatchedPage;

  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 860 });
  });
  afterEach(() => watched.close());

  it('a tenant is created, suspended, resumed, gets another key, and is deleted', async () => {
    const { page, problems } = watched;
    await signIn(page, '/tenants');
    await createsTenant(page);
    await suspendsTenant(page);
    await rotatesKey(page);
    await deletesTenant(page);
    expect(problems).toEqual([]);
  });

  it('a dead letter is tried again, another is dropped, and the focus stays in the list', async () => {
    await handlesLetters(watched.page);
    expect(watched.problems).toEqual([]);
  });

  it('two people talk, one is cut and comes back; an answer is asked for and stopped', async () => {
    const { page, problems } = watched;
    await talks(page);
    await asks(page);
    expect(problems).toEqual([]);
  });
});
