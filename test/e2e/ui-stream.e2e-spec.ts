import type { TestApp } from '../support/app';
import { messagesOf, startChatApp, type WithModel } from '../support/chats/http';
import { listed, plain, textOfUi, UiTab } from '../support/chats/ui';
import { AnswerGate, faults, type ProviderServer } from '../support/fake-model';
import type { Api } from '../support/http/api';
import { until } from '../support/poll';

const WORDS = ['One ', 'two ', 'drei ', '四 ', '😀 ', 'six ', 'seven ', 'eight.'];
const WHOLE = WORDS.join('');

describe('the UI stream, read by the Vercel AI SDK', () => {
  let app: WithModel<TestApp>;
  let model: ProviderServer;
  let alice: Api;
  let key: Api;
  let ids = 0;

  beforeAll(async () => {
    app = await startChatApp();
    ({ model } = app);
    const tenant = await app.tenant();
    ({ key } = tenant);
    alice = tenant.as('alice');
  });
  afterAll(() => app.close());

  const tab = (id = `chat-${++ids}`, ...more: [UiTab['chat']['messages']?, boolean?]): UiTab =>
    new UiTab(alice, id, ...more);

  /** An answer of which each word comes when the tab has the one before. */
  function pacedBy(reader: UiTab): AnswerGate[] {
    const gates = WORDS.map(() => new AnswerGate());
    model.next({ steps: WORDS.flatMap((word, i) => [word, { hold: gates[i] ?? new AnswerGate() }]) });
    let text = '';
    reader.onChunk = (chunk) => {
      if (chunk.type === 'start') text = '';
      if (chunk.type !== 'text-delta') return;
      text += String(chunk['delta']);
      gates[text.trim().split(' ').length - 1]?.open();
    };
    return gates;
  }

  it.each([false, true])('an answer is what the log has (only the last message is sent: %s)', async (lastOnly) => {
    const here = tab(undefined, [], lastOnly);
    for (const text of ['Hello', 'And again']) {
      await here.chat.sendMessage({ text });
      expect([here.chat.status, here.errors]).toEqual(['ready', []]);
    }
    const { messages } = here.chat;
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    const stored = await listed(alice, here.id);
    expect(plain(messages)).toEqual(plain(stored));
    expect([messages[1]?.metadata, messages[3]?.metadata]).toEqual([stored[1]?.metadata, stored[3]?.metadata]);
    expect(stored[1]?.metadata).toMatchObject({ chatId: expect.any(String), seq: 2, status: 'completed' });
    expect(here.chunks.map(({ type }) => type)).toEqual([
      ...['start', 'start-step', 'text-start'],
      ...here.chunks.filter(({ type }) => type === 'text-delta').map(({ type }) => type),
      ...['text-end', 'finish-step', 'finish'],
    ]);
    expect(here.chunks.at(-1)).toMatchObject({ finishReason: 'stop' });
    const asked = model.requests.at(-1)?.body['messages'] as { role: string; content: string }[];
    expect(asked.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('cut once, after chunk %d, and joined again it is the log’s', async (n) => {
    const here = tab();
    pacedBy(here);
    here.cutAfter = n;
    await here.chat.sendMessage({ text: 'Count' });
    expect([here.chat.status, here.chunks.length]).toEqual(['error', n]);
    here.cutAfter = Infinity;
    await here.chat.resumeStream();
    expect([here.chat.status, here.text, here.chat.messages.length]).toEqual(['ready', WHOLE, 2]);
    expect(plain(here.chat.messages)).toEqual(plain(await listed(alice, here.id)));
  });

  it.each([11, 12, 13])('cut after chunk %d, when all of its text is there, a tab lacks nothing', async (n) => {
    const here = tab();
    pacedBy(here);
    here.cutAfter = n;
    await here.chat.sendMessage({ text: 'Count' });
    here.cutAfter = Infinity;
    await here.chat.resumeStream();
    expect([here.chat.status, here.text]).toEqual(['ready', WHOLE]);
    const stored = await until(
      () => listed(alice, here.id),
      (messages) => messages.length === 2,
    );
    expect(textOfUi(stored[1])).toBe(WHOLE);
  });

  it.each([4, 5, 6])('cut again and again after %d chunks, it comes to its end', async (n) => {
    const here = tab();
    pacedBy(here);
    here.cutAfter = n;
    await here.chat.sendMessage({ text: 'Count' });
    for (let cuts = 0; here.text !== WHOLE && cuts < 50; cuts++) await here.chat.resumeStream();
    expect([here.text, here.chat.messages.length]).toEqual([WHOLE, 2]);
    const stored = await until(
      () => listed(alice, here.id),
      (messages) => messages.length === 2,
    );
    expect(textOfUi(stored[1])).toBe(WHOLE);
    here.cutAfter = Infinity;
    await here.chat.resumeStream();
    expect([here.statuses.at(-1), here.chat.status]).toEqual([204, 'ready']);
  });

  it('with nothing to join, a tab stays as it is; so does one of a chat that has not begun', async () => {
    const here = tab();
    await here.chat.resumeStream();
    await here.chat.sendMessage({ text: 'Hello' });
    const before = plain(here.chat.messages);
    await here.chat.resumeStream();
    expect([here.statuses, here.errors, here.chat.status]).toEqual([[204, 200, 204], [], 'ready']);
    expect(plain(here.chat.messages)).toEqual(before);
  });

  it('two tabs read one answer, and what the second says waits for its turn', async () => {
    const one = tab();
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] }, { steps: ['Second'] });
    const sent = one.chat.sendMessage({ text: 'First' });
    await gate.reached;
    const two = tab(one.id, await listed(alice, one.id));
    const joined = two.chat.resumeStream();
    await until(
      () => Promise.resolve(two.text),
      (text) => text === 'Hel',
    );
    const three = tab(one.id, await listed(alice, one.id));
    const waiting = three.chat.sendMessage({ text: 'Another' });
    await until(
      () => Promise.resolve(three.chunks.length),
      (chunks) => chunks === 1,
    );
    gate.open();
    await Promise.all([sent, joined, waiting]);
    expect([one.text, two.text, three.text]).toEqual(['Hello', 'Hello', 'Second']);
    expect((await listed(alice, one.id)).map(textOfUi)).toEqual(['First', 'Hello', 'Another', 'Second']);
  });

  it('two tabs that begin the same chat at once begin one', async () => {
    const tabs = [tab(), ...Array.from({ length: 4 }, () => tab(`chat-${ids}`))];
    await Promise.all(tabs.map(({ chat }, i) => chat.sendMessage({ text: `Hello ${i}` })));
    expect(tabs.map(({ chat }) => chat.status)).toEqual(tabs.map(() => 'ready'));
    expect(await listed(alice, `chat-${ids}`)).toHaveLength(10);
  });

  it('the SDK’s stop leaves, the server’s ends: the text so far is the answer', async () => {
    const here = tab();
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const sent = here.chat.sendMessage({ text: 'Hello' });
    await until(
      () => Promise.resolve(here.text),
      (text) => text === 'Hel',
    );
    await here.chat.stop();
    await sent;
    const joined = here.chat.resumeStream();
    await until(
      () => Promise.resolve(here.chunks.length),
      (chunks) => chunks === 4,
    );
    const answers = await here.stopAnswer();
    await joined;
    expect([here.chat.status, here.text, here.chunks.at(-1)?.type]).toEqual(['ready', 'Hel', 'abort']);
    const stored = await listed(alice, here.id);
    expect(plain(answers)).toEqual(plain(stored.slice(1)));
    expect(stored[1]?.metadata).toMatchObject({ status: 'cancelled', finishReason: 'stopped' });
    expect(here.chat.messages[1]?.metadata).toEqual(stored[1]?.metadata);
    expect(await here.stopAnswer()).toEqual([]);
    gate.open();
  });

  it('what fails later is an error in our words, and can be asked for anew', async () => {
    const here = tab();
    model.next(faults.status(500), { steps: ['Better'] });
    await here.chat.sendMessage({ text: 'Hello' });
    expect([here.chat.status, here.chat.error?.message]).toEqual(['error', expect.stringMatching(/^MODEL_ERROR: /)]);
    expect((await listed(alice, here.id)).map(({ role }) => role)).toEqual(['user']);
    await here.chat.regenerate();
    expect([here.chat.status, here.text]).toEqual(['ready', 'Better']);
    model.next(faults.cut('Hal'));
    await here.chat.sendMessage({ text: 'More' });
    expect([here.text, here.chat.error?.message]).toEqual(['Hal', expect.stringMatching(/^MODEL_ERROR: /)]);
    expect(plain(here.chat.messages)).toEqual(plain(await listed(alice, here.id)));
  });

  it('what is refused before it is an error in our shape, and stores nothing', async () => {
    const rejecting = (await app.tenant(undefined, { while_answering: 'reject' })).as('alice');
    const [one, two] = [new UiTab(rejecting, 'same'), new UiTab(rejecting, 'same')];
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const sent = one.chat.sendMessage({ text: 'First' });
    await gate.reached;
    await two.chat.sendMessage({ text: 'Second' });
    const refusal = JSON.parse(two.chat.error?.message ?? '') as { error: object };
    expect([two.statuses, refusal.error]).toEqual([[409], expect.objectContaining({ code: 'CONFLICT' })]);
    gate.open();
    await sent;
    expect((await listed(rejecting, 'same')).map(textOfUi)).toEqual(['First', 'Hello']);
  });

  it('a second message interrupts the first, where the tenant wants that', async () => {
    const hasty = (await app.tenant(undefined, { while_answering: 'interrupt' })).as('alice');
    const [one, two] = [new UiTab(hasty, 'same'), new UiTab(hasty, 'same')];
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] }, { steps: ['Second'] });
    const sent = one.chat.sendMessage({ text: 'First' });
    await until(
      () => Promise.resolve(one.text),
      (text) => text === 'Hel',
    );
    await two.chat.sendMessage({ text: 'Another' });
    await sent;
    expect([one.chunks.at(-1)?.type, one.text, two.text]).toEqual(['abort', 'Hel', 'Second']);
    expect((await listed(hasty, 'same')).map(textOfUi)).toEqual(['First', 'Hel', 'Another', 'Second']);
    gate.open();
  });

  it('a server that stops says so: a tab takes the end of its stream for no end of the answer', async () => {
    const other = await startChatApp();
    try {
      const here = new UiTab((await other.tenant()).as('alice'), 'stopped');
      const gate = new AnswerGate();
      other.model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
      const sent = here.chat.sendMessage({ text: 'Hello' });
      await until(
        () => Promise.resolve(here.text),
        (text) => text === 'Hel',
      );
      const stopped = other.app.lifecycle.stop('the test');
      await sent;
      expect([here.chat.status, here.chat.error?.message]).toEqual([
        'error',
        expect.stringMatching(/^SERVICE_UNAVAILABLE: /),
      ]);
      gate.open();
      await stopped;
    } finally {
      await other.close();
    }
  });

  it('regenerates the newest answer: the old one is superseded', async () => {
    const here = tab();
    model.next({ steps: ['First'] }, { steps: ['Second'] }, { steps: ['Third'] });
    await here.chat.sendMessage({ text: 'Hello' });
    const [, first] = here.chat.messages;
    await here.chat.regenerate();
    await here.chat.regenerate({ messageId: here.chat.messages[1]?.id ?? '' });
    expect(here.chat.messages.map(textOfUi)).toEqual(['Hello', 'Third']);
    expect(plain(here.chat.messages)).toEqual(plain(await listed(alice, here.id)));
    const { chatId } = first?.metadata as { chatId: string };
    expect((await messagesOf(key, chatId)).map(({ content, status }) => [content, status])).toEqual([
      ['Hello', 'completed'],
      ['First', 'superseded'],
      ['Second', 'superseded'],
      ['Third', 'completed'],
    ]);
  });

  it('edits the newest question: it is answered anew, by a model that sees the new text', async () => {
    const here = tab();
    await here.chat.sendMessage({ text: 'Hello' });
    model.next({ steps: ['First'] }, { steps: ['Second'] });
    await here.chat.sendMessage({ text: 'What is to?' });
    const messageId = here.chat.messages[2]?.id ?? '';
    await here.chat.sendMessage({ text: 'What is two?', messageId });
    expect(here.chat.messages.map(textOfUi).slice(2)).toEqual(['What is two?', 'Second']);
    expect(plain(here.chat.messages)).toEqual(plain(await listed(alice, here.id)));
    const asked = model.requests.at(-1)?.body['messages'] as { content: string }[];
    expect(asked.map(({ content }) => content)).not.toContain('What is to?');
    expect(asked.at(-1)?.content).toBe('What is two?');
    // A page that was loaded anew knows the question by the same id.
    const loaded = tab(here.id, await listed(alice, here.id));
    model.next({ steps: ['Third'] });
    await loaded.chat.sendMessage({ text: 'What is three?', messageId });
    expect(loaded.chat.messages.map(textOfUi).slice(2)).toEqual(['What is three?', 'Third']);
  });

  it('nothing older than the newest is edited or regenerated', async () => {
    const here = tab();
    for (const text of ['One', 'Two']) await here.chat.sendMessage({ text });
    const before = await listed(alice, here.id);
    const stale = tab(here.id, before);
    await stale.chat.sendMessage({ text: 'Changed', messageId: before[0]?.id ?? '' });
    expect([stale.statuses, stale.chat.status]).toEqual([[409], 'error']);
    const another = tab(here.id, before);
    await another.chat.regenerate({ messageId: before[1]?.id ?? '' });
    const behind = tab(here.id, before.slice(0, 2));
    await behind.chat.regenerate();
    expect([another.statuses, behind.statuses]).toEqual([[409], [409]]);
    expect(await listed(alice, here.id)).toEqual(before);
  });
});
