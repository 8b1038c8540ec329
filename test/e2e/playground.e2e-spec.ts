import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import WebSocket from 'ws';
import { describeWithBrowser, openPage, shows, type WatchedPage } from '../support/browser';
import { type BuiltServer, startBuiltServer } from '../support/built-server';
import { AnswerGate, FakeModel, type ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';

const AXE = join(__dirname, '..', '..', 'node_modules', 'axe-core', 'axe.min.js');
const GENERAL = 'room_019000000000700080000000000000d0';
const HOSTILE = '<img src=x onerror="document.title=\'hacked\'"><script>document.title="hacked"</script>';

let server: BuiltServer;
let model: ProviderServer;
let apiKey: string;
let masterKey: string;

beforeAll(async () => {
  model = await FakeModel.start();
  server = await startBuiltServer({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'a key of the fake' });
  apiKey = /chatapi_[0-9A-Za-z]+/.exec(server.output)?.[0] ?? '';
  masterKey = /X-Master-Key\):\s+(\S+)/.exec(server.output)?.[1] ?? '';
});
afterAll(async () => {
  await server.stop();
  await model.stop();
});

/** Opens the playground as the printed link has it, with the printed key. */
async function play(page: Page, people = 'alice, bob'): Promise<void> {
  await page.goto(`${server.url}/playground#demo`);
  await page.getByLabel('API key').fill(apiKey);
  await page.getByLabel('People').fill(people);
  await page.getByRole('button', { name: 'Open the playground' }).click();
  for (const name of people.split(', ')) await person(page, name).getByText('Live', { exact: true }).waitFor();
}

const person = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });
const network = (page: Page, name: string): Locator =>
  page.getByRole('switch', { name: `Network of ${name}`, exact: true });

async function openRoom(page: Page, name: string, room: string | RegExp): Promise<void> {
  await person(page, name).getByRole('navigation').getByRole('button', { name: room }).click();
}

async function say(page: Page, name: string, text: string): Promise<void> {
  const box = person(page, name).getByRole('textbox');
  await box.fill(text);
  await box.press('Enter');
}

interface Shown {
  readonly seq: number;
  readonly text: string;
}

/** What stands in the talk of one person. */
async function talk(page: Page, name: string): Promise<Shown[]> {
  const rows = await person(page, name).locator('.message[data-seq]').all();
  return Promise.all(
    rows.map(async (row) => ({
      seq: Number(await row.getAttribute('data-seq')),
      text: await row.locator('.content').innerText(),
    })),
  );
}

async function admin(method: string, path: string, body: object): Promise<void> {
  const headers = { 'x-master-key': masterKey, 'content-type': 'application/json' };
  const answer = await fetch(server.url + path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function axe(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const { violations } = await page.evaluate<{
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  }>('axe.run(document)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

let watched: WatchedPage;

/** Each test has a page of its own; after it there is nothing of what no page may leave or do. */
function withPage(): void {
  beforeEach(async () => {
    watched = await openPage(server.url);
    await watched.page.setViewportSize({ width: 1280, height: 800 });
  });
  afterEach(async () => {
    const { page, foreign, problems } = watched;
    expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, '']);
    expect(page.url()).not.toMatch(/chatapi_|eyJ|wst_/);
    // A refused key is told by the browser, too.
    expect(problems.filter((problem) => !problem.includes('status of 401'))).toEqual([]);
    expect(foreign.filter((url) => !url.startsWith(server.url.replace('http', 'ws')))).toEqual([]);
    await watched.close();
  });
}

describeWithBrowser('the playground: people', () => {
  withPage();

  it('lets two people talk: typing, presence, reading, editing, deleting, text as text', async () => {
    const { page } = watched;
    await play(page);
    for (const name of ['alice', 'bob']) await openRoom(page, name, /general/);
    await person(page, 'alice').getByRole('list', { name: 'Members' }).getByText('bob online').waitFor();
    await person(page, 'alice').getByRole('textbox').pressSequentially(HOSTILE.slice(0, 5));
    await person(page, 'bob').getByText('alice is typing').waitFor();
    await say(page, 'alice', HOSTILE);
    await person(page, 'bob').getByText(HOSTILE).waitFor();
    const mine = person(page, 'alice').getByRole('article').last();
    await mine.getByText('read by bob').waitFor();
    await mine.getByRole('button', { name: /Edit/ }).click();
    await mine.getByLabel('New text').fill('edited by alice');
    await mine.getByRole('button', { name: 'Save' }).click();
    await person(page, 'bob').getByText('edited by alice').waitFor();
    await mine.getByRole('button', { name: /Delete/ }).click();
    await mine.getByRole('button', { name: 'Delete message' }).click();
    await person(page, 'bob').getByText('deleted; its place stays').waitFor();
    expect(await page.title()).toBe('ChatAPI playground');
  });
});

describeWithBrowser('the playground: rooms', () => {
  withPage();

  it('makes rooms of each kind, which the others see at once', async () => {
    const { page } = watched;
    await play(page, 'alice, bob, carol');
    const kinds = [
      ['group', 'plans', 'bob, carol'],
      ['channel', HOSTILE.slice(0, 40), ''],
    ] as const;
    for (const [kind, name, members] of kinds) {
      await person(page, 'alice').getByRole('button', { name: '+ New room' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Kind').selectOption(kind);
      await dialog.getByLabel('Name').fill(name);
      await dialog.getByLabel('Members').fill(members);
      await dialog.getByRole('button', { name: 'Create' }).click();
      await person(page, 'alice').getByRole('heading', { name }).waitFor();
    }
    await person(page, 'alice').getByRole('button', { name: '+ New room' }).click();
    await page.getByLabel('Kind').selectOption('dm');
    await page.getByLabel('With whom').fill('bob');
    await page.getByRole('button', { name: 'Create' }).click();
    await person(page, 'alice').getByRole('heading', { name: 'bob' }).waitFor();
    await say(page, 'alice', 'between us');
    await openRoom(page, 'bob', /^alice/);
    await person(page, 'bob').getByText('between us').waitFor();
    await openRoom(page, 'carol', /plans/);
    await say(page, 'carol', 'to all three');
    await openRoom(page, 'bob', /plans/);
    await person(page, 'bob').getByText('to all three').waitFor();
  });
});

describeWithBrowser('the playground: networks', () => {
  withPage();

  it('is cut: the other sends 30, restored: all are there in order, without a gap, and what was said meanwhile goes out', async () => {
    const { page } = watched;
    await play(page);
    for (const name of ['alice', 'bob']) await openRoom(page, name, /general/);
    await say(page, 'bob', 'before the cut');
    await person(page, 'alice').getByText('before the cut').waitFor();
    await network(page, 'bob').click();
    await person(page, 'bob').getByText('Cut', { exact: true }).waitFor();
    const said = Array.from({ length: 30 }, (_, index) => `while away ${index + 1}`);
    // Faster than the tenant allows: what is refused waits, and keeps its place.
    for (const text of said) await say(page, 'alice', text);
    await person(page, 'alice').getByText('while away 30', { exact: true }).waitFor();
    await say(page, 'bob', 'said while cut');
    await shows(person(page, 'alice').getByText('on its way'), 0);
    await shows(person(page, 'bob').getByText('on its way'), 1);
    expect((await talk(page, 'bob')).some(({ text }) => text.startsWith('while away'))).toBe(false);
    await network(page, 'bob').click();
    await person(page, 'bob')
      .getByText(/3[01] messages caught up when bob came back/)
      .waitFor();
    await person(page, 'alice').getByText('said while cut').waitFor();
    for (const name of ['alice', 'bob']) {
      await shows(person(page, name).getByText('on its way'), 0);
      const shown = (await talk(page, name)).slice(-32);
      expect(shown.map(({ text }) => text)).toEqual(['before the cut', ...said, 'said while cut']);
      expect(shown.map(({ seq }) => seq)).toEqual(shown.map((_, index) => (shown[0]?.seq ?? 0) + index));
    }
    // The catch-up is to be seen among the frames, too: a sync after the seq that bob had.
    await page.getByLabel('Filter frames').fill('sync.complete');
    await page.getByRole('listbox', { name: 'Frames' }).getByText('sync.complete').first().waitFor();
  });

  it('slows a network, and keeps the order', async () => {
    const { page } = watched;
    await play(page);
    for (const name of ['alice', 'bob']) await openRoom(page, name, /general/);
    await page.getByRole('switch', { name: /Slow network of bob/ }).click();
    await say(page, 'bob', 'slow 1');
    await person(page, 'bob').getByText('on its way').first().waitFor();
    for (const text of ['slow 2', 'slow 3']) await say(page, 'bob', text);
    await person(page, 'alice').getByText('slow 3').waitFor();
    expect((await talk(page, 'alice')).slice(-3).map(({ text }) => text)).toEqual(['slow 1', 'slow 2', 'slow 3']);
  });
});

describeWithBrowser('the playground: an assistant', () => {
  withPage();

  it('streams an answer, resumes it after a cut at the token that was there, stops one, and writes one anew', async () => {
    const { page } = watched;
    await play(page);
    await openRoom(page, 'alice', /Assistant/);
    const alice = person(page, 'alice');
    const [first, second] = [new AnswerGate(), new AnswerGate()];
    model.next(
      { steps: ['One ', 'two ', { hold: first }, 'three ', 'four.'] },
      { steps: ['Never ', { hold: second }, 'more'] },
    );
    await say(page, 'alice', 'Count');
    await alice.getByText('One two', { exact: false }).waitFor();
    await alice.getByText('streaming').waitFor();
    await network(page, 'alice').click();
    first.open();
    await (
      await model.request(1)
    ).closed;
    await network(page, 'alice').click();
    await alice.getByText('One two three four.').waitFor();
    await alice.getByText('resumed 1×').waitFor();
    await page.getByLabel('Filter frames').fill('message_stream_started');
    await page.getByRole('option').last().click();
    // It went on after a token that was there: not from the beginning.
    await page
      .getByLabel('The frame, readable')
      .getByText(/"after_index": [01]/)
      .waitFor();

    await say(page, 'alice', 'Go on');
    await alice.getByText('Never', { exact: false }).waitFor();
    await alice.getByRole('button', { name: 'Stop' }).click();
    await alice.getByText('cancelled').waitFor();
    await alice.getByRole('button', { name: 'Stream it again' }).last().click();
    await until(
      () => page.getByRole('option').count(),
      (count) => count >= 4,
    );
    model.next({ steps: ['Something ', 'else.'] });
    await alice.getByRole('button', { name: 'Regenerate' }).click();
    await alice.getByText('Something else.').waitFor();
    await alice.getByText('superseded').waitFor();
    second.open();
  });
});

describeWithBrowser('the playground: frames', () => {
  withPage();

  it('sends any frame by the form, and shows what is refused', async () => {
    const { page } = watched;
    await play(page);
    for (const name of ['alice', 'bob']) await openRoom(page, name, /general/);
    await page.getByRole('button', { name: 'Send a frame' }).click();
    await page.getByLabel('Frame', { exact: true }).selectOption('send_message');
    await page.getByLabel('content', { exact: true }).fill('by the form');
    await page.getByLabel(/^request_id/).fill('form-1');
    await page.getByRole('button', { name: 'Send frame' }).click();
    await page.getByText('message.accepted', { exact: true }).waitFor();
    await person(page, 'bob').getByText('by the form').waitFor();
    await page.getByRole('button', { name: 'A field too many' }).click();
    await page.getByRole('alert').getByText('sequence').waitFor();
    await page.getByRole('button', { name: 'No JSON' }).click();
    await page.getByRole('alert').getByText('VALIDATION_ERROR').waitFor();
    await page.getByLabel('Frame', { exact: true }).selectOption('as it stands');
    await page.getByRole('textbox', { name: 'Text' }).fill('{"type":"subscribe","room_id":7,"request_id":"raw-1"}');
    await page.getByRole('button', { name: 'Send frame' }).click();
    await page.getByRole('alert').getByText('raw-1').waitFor();
    await page.getByRole('button', { name: /Binary/ }).click();
    await person(page, 'alice').getByText('Ended').waitFor();
    await person(page, 'alice').getByRole('button', { name: 'Connect again' }).click();
    await person(page, 'alice').getByText('Live', { exact: true }).waitFor();
  });
});

describeWithBrowser('the playground: many frames', () => {
  withPage();

  it('shows 500 frames a second: as many rows as are seen are made with each painting, and none is lost', async () => {
    const { page } = watched;
    await admin('PATCH', '/admin/tenants/tenant_019000000000700080000000000000d2', {
      limits: { ws_messages_per_second: null },
    });
    await play(page);
    for (const name of ['alice', 'bob']) await openRoom(page, name, /general/);
    await page.evaluate(`{
      window.work = { paintings: 0, rows: 0, most: 0 };
      const list = document.querySelector('.frames');
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes) for (const node of addedNodes) if (node.classList?.contains('frame-row')) work.rows++;
        work.most = Math.max(work.most, list.querySelectorAll('.frame-row').length);
      }).observe(list, { childList: true, subtree: true });
      const count = () => { work.paintings++; requestAnimationFrame(count); };
      requestAnimationFrame(count);
    }`);
    const sent = await sendFast(1000);
    for (const name of ['alice', 'bob']) await person(page, name).getByText(`fast ${sent}`, { exact: true }).waitFor();
    await page.getByLabel('Filter frames').fill('"fast');
    await page.getByText(`${sent * 2} of`).waitFor();
    await page.getByRole('option').last().getByText(`fast ${sent}`).waitFor();
    const { paintings, rows, most } = await page.evaluate<Record<'paintings' | 'rows' | 'most', number>>('work');
    expect(most).toBeLessThan(100);
    expect(rows).toBeLessThanOrEqual(paintings * most);
    // Nobody was too slow (4009): the connections are those of the beginning.
    await page.getByLabel('Filter frames').fill('');
    await page.getByLabel('Direction').selectOption('state');
    expect(await page.getByRole('option').getByText('closed').count()).toBe(0);
    expect(await person(page, 'bob').locator('.message').count()).toBeLessThan(150);
    await page.getByLabel('Direction').selectOption('');
    await page.getByText(/^(\d+) of \1$/).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    const before = await page.getByRole('option').last().getAttribute('data-n');
    await say(page, 'alice', 'after the pause');
    await page.getByText('since the pause').waitFor();
    expect(await page.getByRole('option').last().getAttribute('data-n')).toBe(before);
  });
});

describeWithBrowser('the playground: who comes in', () => {
  withPage();

  it('goes on after a reload, by the keyboard alone, and forgets the key when asked', async () => {
    const { page } = watched;
    await play(page);
    await page.reload();
    await person(page, 'bob').getByText('Live', { exact: true }).waitFor();
    await network(page, 'bob').focus();
    await page.keyboard.press('Space');
    await person(page, 'bob').getByText('Cut', { exact: true }).waitFor();
    await page.keyboard.press('Space');
    await person(page, 'bob').getByText('Live', { exact: true }).waitFor();
    await page.getByRole('listbox', { name: 'Frames' }).focus();
    await page.keyboard.press('ArrowUp');
    await page.getByRole('region', { name: 'Frame', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await page.getByLabel('API key').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  it('refuses a wrong key in words, and takes user tokens instead of a key', async () => {
    const { page } = watched;
    await page.goto(`${server.url}/playground?room_id=${GENERAL}#send_message`);
    await page.getByLabel('API key').fill('chatapi_wrong');
    await page.getByRole('button', { name: 'Open the playground' }).click();
    await page.getByRole('alert').getByText('AUTHENTICATION_ERROR').waitFor();
    await page.getByRole('button', { name: 'I have user tokens' }).click();
    const answer = await fetch(`${server.url}/tokens`, {
      method: 'POST',
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({ user_id: 'bob' }),
    });
    await page.getByLabel('User tokens').fill(((await answer.json()) as { token: string }).token);
    await page.getByRole('button', { name: 'Open the playground' }).click();
    await person(page, 'bob').getByText('Live', { exact: true }).waitFor();
  });
});

describeWithBrowser('the playground: for everybody', () => {
  withPage();

  it.each(['light', 'dark'] as const)('is usable by everybody, at 390 and 1280 px (%s)', async (colorScheme) => {
    const { page } = watched;
    await page.emulateMedia({ colorScheme });
    await page.goto(`${server.url}/playground`);
    await page.getByLabel('API key').waitFor();
    expect(await axe(page)).toEqual([]);
    await play(page);
    await say(page, 'alice', 'for everybody');
    expect(await axe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Send a frame' }).click();
    await page.getByLabel('content', { exact: true }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    for (const shown of ['bob', 'Frames', 'alice']) {
      await page
        .getByRole('navigation', { name: /narrow/ })
        .getByRole('button', { name: shown })
        .click();
      expect(await axe(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      const region =
        shown === 'Frames' ? page.getByRole('region', { name: 'Frames of everybody' }) : person(page, shown);
      expect(await region.boundingBox()).toMatchObject({ x: 0, width: 390 });
    }
  });
});

/** Says so much in the channel as fast as 500 a second, by a socket of its own. @returns how many */
async function sendFast(count: number): Promise<number> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?sync=manual`, {
    headers: { 'x-api-key': apiKey, 'x-user-id': 'alice' },
  });
  let accepted = 0;
  const done = new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      const { type } = JSON.parse(data.toString()) as { type: string };
      if (type === 'error') reject(new Error(data.toString()));
      if (type === 'message.accepted' && ++accepted === count) resolve();
    });
  });
  await new Promise((resolve) => socket.once('open', resolve));
  for (let n = 1; n <= count; n++)
    socket.send(JSON.stringify({ type: 'send_message', room_id: GENERAL, content: `fast ${n}` }));
  await done;
  socket.close();
  return count;
}
