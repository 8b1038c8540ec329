import {
  chatPath,
  type ChatMessageBody,
  createChat,
  FAKE_ANSWER,
  messagesOf,
  rejoin,
  sayStreaming,
} from '../support/chats/http';
import { type SseClient, textOf } from '../support/chats/sse';
import { FakeModel, Gate, type ProviderServer } from '../support/fake-model';
import type { Api } from '../support/http/api';
import { until } from '../support/poll';
import { createTarget } from '../support/served';
import { Servers } from '../support/server-process';
import { Victim } from '../support/victim';

/** What a killed server was doing is another's when its lease has run out. */
const LEASE_MS = 60_000;
const LONG_MS = 180_000;

const servers = new Servers();
let model: ProviderServer;
let victim: Victim;
let alice: Api;

beforeEach(async () => {
  model = await FakeModel.start();
  victim = await Victim.start(servers, { OPENAI_BASE_URL: model.url });
  const { as } = await createTarget(() => victim.url, 1, 0);
  alice = as('alice');
});
afterEach(async () => {
  await model.stop();
  await servers.cleanUp();
});

/** Says something without waiting for its answer; it is stored when this resolves. */
async function told(chatId: string, content: string): Promise<SseClient> {
  const stream = await sayStreaming(alice, chatId, { content, client_message_id: content });
  expect((await stream.next())?.data['event_type']).toBe('message_received');
  return stream;
}

/** Reads until so much of the answer was shown; tokens may come together. */
async function shows(stream: SseClient, text: string): Promise<void> {
  let shown = '';
  while (shown !== text) {
    const event = await stream.next();
    if (event === undefined) throw new Error(`the stream ended after "${shown}"`);
    shown += textOf([event]);
  }
}

const settled = (messages: readonly ChatMessageBody[], questions: number): boolean =>
  messages.filter(({ sender_role }) => sender_role === 'assistant').length === questions;

/** The log once everything in it is answered; checks what must hold whatever has happened. */
async function answered(chatId: string, questions: number): Promise<ChatMessageBody[]> {
  const messages = await until(
    () => messagesOf(alice, chatId).catch(() => []),
    (found) => settled(found, questions),
    LEASE_MS,
  );
  expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, i) => i + 1));
  const replies = messages.flatMap(({ reply_to_seq }) => reply_to_seq ?? []);
  expect(new Set(replies).size).toBe(questions);
  for (const { status } of messages) expect(status).toMatch(/^(completed|cancelled|interrupted|failed)$/);
  // Nothing is being answered, and nothing waits.
  expect((await rejoin(alice, chatId)).status).toBe(204);
  return messages;
}

const answerTo = (messages: readonly ChatMessageBody[], seq: number): ChatMessageBody | undefined =>
  messages.find(({ reply_to_seq }) => reply_to_seq === seq);

it(
  'a server that is killed while it answers: that answer is interrupted, what waited is answered',
  async () => {
    const { id } = await createChat(alice, 'alice');
    const hold = new Gate();
    model.next({ steps: ['One', ' two', ' three', { hold }, ' four'] });
    const first = await told(id, 'first');
    await shows(first, 'One two three');
    await told(id, 'second');
    await victim.killServer();
    const messages = await answered(id, 2);
    const interrupted = answerTo(messages, 1);
    expect(interrupted).toMatchObject({ status: 'interrupted' });
    // What was shown within the last 50 ms may be missing; nothing else is there.
    expect('One two three'.startsWith(interrupted?.content ?? '?')).toBe(true);
    expect(answerTo(messages, 2)).toMatchObject({ status: 'completed', content: FAKE_ANSWER });
    const { id: answerId = '', content } = interrupted ?? {};
    const again = await rejoin(alice, id, `${answerId}:-1`);
    expect(textOf(await again.rest())).toBe(content);
    hold.open();
  },
  LONG_MS,
);

it(
  'PostgreSQL that is away while the model ends: the answer is whole',
  async () => {
    const { id } = await createChat(alice, 'alice');
    const hold = new Gate();
    model.next({ steps: ['One', ' two', { hold }, ' three'] });
    const stream = await told(id, 'first');
    await shows(stream, 'One two');
    await victim.freezePostgres(async () => {
      hold.open();
      expect(await (await model.request(1)).closed).toBe('whole');
    });
    const messages = await answered(id, 1);
    expect(answerTo(messages, 1)).toMatchObject({ status: 'completed', content: 'One two three' });
    expect(textOf(await stream.rest())).toBe(' three');

    const other = new Gate();
    model.next({ steps: ['One', { hold: other }, ' two'] });
    await shows(await told(id, 'second'), 'One');
    const back = victim.killPostgres();
    other.open();
    await back;
    expect(answerTo(await answered(id, 2), 3)).toMatchObject({ status: 'completed', content: 'One two' });
  },
  LONG_MS,
);

it(
  'a server that is asked to stop while a model does not end: what there is is stored, what waited is answered',
  async () => {
    const { id } = await createChat(alice, 'alice');
    model.next({ steps: ['One', ' two', { hold: new Gate() }] });
    const first = await told(id, 'first');
    await shows(first, 'One two');
    await told(id, 'second');
    await victim.stopServer();
    const messages = await answered(id, 2);
    expect(answerTo(messages, 1)).toMatchObject({ status: 'interrupted', content: 'One two' });
    expect(answerTo(messages, 2)).toMatchObject({ status: 'completed', content: FAKE_ANSWER });
  },
  LONG_MS,
);

it(
  'kills at any moment: every message that was acknowledged is answered once, however often it is sent',
  async () => {
    const chats = await Promise.all([1, 2, 3, 4].map(() => createChat(alice, 'alice')));
    const PER_CHAT = 12;
    let sent = 0;
    const talk = async (chatId: string): Promise<void> => {
      for (let n = 0; n < PER_CHAT; n++) {
        const content = `message ${n}`;
        await until(
          () =>
            alice.post(`${chatPath(chatId)}/messages`, { content, client_message_id: content }).catch(() => undefined),
          (answer) => answer?.status === 200,
          LEASE_MS,
        );
        sent++;
      }
    };
    const talking = Promise.all(chats.map(({ id }) => talk(id)));
    for (const work of [8, 20, 32]) {
      await until(
        () => Promise.resolve(sent),
        (done) => done >= work,
        LEASE_MS,
      );
      await victim.killAll();
    }
    await talking;
    for (const { id } of chats) {
      const messages = await answered(id, PER_CHAT);
      expect(messages.filter(({ sender_role }) => sender_role === 'user').map(({ content }) => content)).toEqual(
        Array.from({ length: PER_CHAT }, (_, n) => `message ${n}`),
      );
      // An answer that was being written when the server died may have any part of its text, and says so.
      for (const { status, content, sender_role } of messages)
        if (sender_role === 'assistant')
          expect(status === 'completed' ? content === FAKE_ANSWER : FAKE_ANSWER.startsWith(content)).toBe(true);
    }
  },
  LONG_MS,
);
