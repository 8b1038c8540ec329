import {
  type ChatCrashFixture as Site,
  ChatCrashFixture,
  chatFaults,
  LEASE_MS,
  readTo,
  textByRules,
} from '../support/chats/crash-fixture';
import { chatPath, createChat, FAKE_ANSWER, messagesOf, roomIdOf, sayStreaming } from '../support/chats/http';
import type { SseClient, SseEvent } from '../support/chats/sse';
import { textOn } from '../support/chats/socket';
import { listed, UiTab } from '../support/chats/ui';
import { eventsOf, openAi, refusedBy, type ResponseEvent, textOfResponse } from '../support/chats/openai';
import { AnswerGate } from '../support/fake-model';
import { metricOf } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { Servers } from '../support/server-process';
import { WsClient } from '../support/ws/client';

const BEFORE = ['One ', 'two ', '四 ', '😀 '];
const AFTER = ['five ', 'six.'];
const SHOWN = BEFORE.join('');
const WHOLE = SHOWN + AFTER.join('');

const servers = new Servers();
let site: Site;
beforeEach(async () => (site = await ChatCrashFixture.start(servers)));
afterEach(async () => {
  await site.model.stop();
  await servers.cleanUp();
});

interface Reading {
  readonly stream: SseClient;
  readonly seen: SseEvent[];
  /** Lets the model say the rest. */
  readonly gate: AnswerGate;
}

/** Somebody asks, and has read the first half of the answer. */
async function reading(chatId: string): Promise<Reading> {
  const gate = new AnswerGate();
  site.model.next({ steps: [...BEFORE, { hold: gate }, ...AFTER] });
  const stream = await sayStreaming(site.key, chatId, 'first');
  return { stream, seen: await readTo(stream, SHOWN), gate };
}

/** Says something that waits; the id of the message, which is stored. */
async function sayLater(chatId: string, content: string): Promise<string> {
  const stream = await sayStreaming(site.key, chatId, content);
  const [received] = await stream.take(1);
  stream.cut();
  return String(received?.data['message_id']);
}

/** What the model says to a question. */
const said = (question: string): string => (question === 'first' ? WHOLE : FAKE_ANSWER);

it('a server that is killed while it answers ends that answer with what it stored, and then answers what waited', async () => {
  const { key, victim } = site;
  const { id } = await createChat(key);
  const { seen } = await reading(id);
  const second = await sayLater(id, 'second');
  await victim.killServer();

  // One reader comes back while nobody has the answer, by each door; the others when it is over.
  const early = site.textAfter(id, seen);
  const last_event_id = seen.at(-1)?.id ?? '';
  const socket = await WsClient.connect(victim.url, {
    path: '/ws/chat',
    headers: key.headers,
    query: { chat_id: id, last_event_id },
  });
  const all = await site.answered(id, 2);
  expect(chatFaults(all, [String(seen[0]?.data['message_id']), second], said)).toEqual([]);
  expect(all.map(({ content, status, reply_to_seq }) => [content, status, reply_to_seq])).toEqual([
    ['first', 'completed', undefined],
    ['second', 'completed', undefined],
    [all[2]?.content, 'interrupted', 1],
    [FAKE_ANSWER, 'completed', 2],
  ]);
  const stored = all[2]?.content ?? '';
  expect(SHOWN.startsWith(stored)).toBe(true);
  expect(await early).toBe(stored);
  await until(
    () => Promise.resolve(socket.frames),
    (frames) => frames.filter(({ type }) => type === 'message_stream_ended').length === 2,
  );
  const mine = seen.map(({ data }) => ({ ...data, type: String(data['event_type']) }));
  expect(textOn([...mine, ...socket.frames], all[2]?.id)).toBe(stored);
  expect(textOn(socket.frames, all[3]?.id)).toBe(FAKE_ANSWER);
  for (let n = 1; n <= seen.length; n++) expect([n, await site.textAfter(id, seen.slice(0, n))]).toEqual([n, stored]);
});

it('a tab of the UI stream whose server is killed joins again, and has in the end what the log has', async () => {
  const tab = new UiTab(site.key, 'crash');
  site.model.next({ steps: [...BEFORE, { hold: new AnswerGate() }, ...AFTER] });
  const sent = tab.chat.sendMessage({ text: 'first' });
  await until(
    () => Promise.resolve(tab.text),
    (text) => text === SHOWN,
  );
  await site.victim.killServer();
  await sent;
  expect(tab.chat.status).toBe('error');
  await tab.chat.resumeStream();
  const [{ metadata } = { metadata: undefined }] = await listed(site.key, 'crash');
  const [, answer] = await site.answered((metadata as { chatId: string }).chatId, 1);
  expect(SHOWN.startsWith(answer?.content ?? '-')).toBe(true);
  expect([tab.text, tab.chat.error?.message]).toEqual([
    answer?.content,
    expect.stringMatching(/^SERVICE_UNAVAILABLE: The answer was cut/),
  ]);
  await tab.chat.regenerate();
  expect([tab.chat.status, tab.text]).toEqual(['ready', FAKE_ANSWER]);
});

it('a reader of OpenAI’s responses whose server is killed joins again, and has what the log has, or is told', async () => {
  const { key, model, victim } = site;
  const client = openAi({ url: key.baseUrl }, key.headers['x-api-key'] ?? '', { 'X-User-Id': 'alice' });
  model.next({ steps: [...BEFORE, { hold: new AnswerGate() }, ...AFTER] });
  const seen: ResponseEvent[] = [];
  const stream = await client.responses.create({ model: 'default', input: 'first', stream: true });
  for await (const event of stream) {
    seen.push(event);
    if (textOfResponse(seen) === SHOWN) break;
  }
  await victim.killServer();
  const [begin] = seen;
  const id = begin?.type === 'response.created' ? begin.response.id : '';
  const whole = await eventsOf(await client.responses.retrieve(id, { stream: true }));
  const stored = textOfResponse(whole);
  expect([SHOWN.startsWith(stored), whole.at(-1)?.type]).toEqual([true, 'response.failed']);
  expect(await client.responses.retrieve(id)).toMatchObject({ status: 'failed', output_text: stored });
  const starting_after = seen.at(-1)?.sequence_number ?? 0;
  const join = async () => eventsOf(await client.responses.retrieve(id, { stream: true, starting_after }));
  if (stored === SHOWN) expect((await join()).map(({ type }) => type)).toEqual(['response.failed']);
  else expect(await refusedBy(join)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
});

describe('PostgreSQL is away in the middle of an answer', () => {
  /** The model says the rest while nothing can be stored. */
  const finished = async ({ gate }: Reading): Promise<void> => {
    gate.open();
    expect(await (await site.model.request(1)).closed).toBe('whole');
  };
  const isAway = () =>
    until(
      () => site.key.get('/health/ready'),
      ({ status }) => status === 503,
      LEASE_MS,
    );
  const ways: Record<string, (read: Reading) => Promise<unknown>> = {
    killed: (read) => Promise.all([site.victim.killPostgres(), finished(read)]),
    frozen: (read) =>
      site.victim.freezePostgres(() =>
        finished(read)
          .then(isAway)
          .then(() => undefined),
      ),
    'frozen until the lease is over': (read) =>
      site.victim.freezePostgres(async () => {
        await finished(read);
        await until(
          () => metricOf(site.key, 'chatapi_runs_live'),
          (live) => live === 0,
          LEASE_MS,
        );
      }),
  };

  it.each(Object.keys(ways))('%s: the answer is stored whole', async (way) => {
    const { id } = await createChat(site.key);
    const read = await reading(id);
    const second = await sayLater(id, 'second');
    await ways[way]?.(read);
    const events = [...read.seen, ...(await read.stream.rest())];
    expect([textByRules(events), events.at(-1)?.data['status']]).toEqual([WHOLE, 'completed']);
    const all = await site.answered(id, 2);
    expect(chatFaults(all, [String(read.seen[0]?.data['message_id']), second], said)).toEqual([]);
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'completed'));
    // In the order in which they were asked: the model has been told what it said before.
    expect(all.map(({ reply_to_seq }) => reply_to_seq)).toEqual([undefined, undefined, 1, 2]);
    expect(JSON.stringify((await site.model.request(2)).body)).toContain('six.');
  });
});

it('a server that is told to stop ends an answer that never does, and what waited is answered by the next one', async () => {
  const { key, victim } = site;
  const { id } = await createChat(key);
  const { seen } = await reading(id);
  const second = await sayLater(id, 'second');
  expect(await victim.endServer('SIGTERM')).toBe(0);
  expect(await (await site.model.request(1)).closed).toBe('early');
  await victim.restart();
  // It is there at once: no lease has to run out.
  const [, , first] = await messagesOf(key, id);
  expect(first).toMatchObject({ content: SHOWN, status: 'interrupted', reply_to_seq: 1, seq: 3 });
  const all = await site.answered(id, 2);
  expect(chatFaults(all, [String(seen[0]?.data['message_id']), second], said)).toEqual([]);
  expect(all[3]).toMatchObject({ content: FAKE_ANSWER, status: 'completed' });
  expect(await site.textAfter(id, seen)).toBe(SHOWN);
});

describe('messages to several chats', () => {
  const CHATS = 4;
  const EACH = 8;
  const KILLS = 3;

  /** Sends each message until it is acknowledged, by turns through the rooms and the chats. */
  async function sendAll(chatId: string, acknowledged: Map<string, string>): Promise<void> {
    for (let n = 0; n < EACH; n++) {
      const message = { content: `${chatId} ${n}`, client_message_id: `m${n}` };
      const say = async (): Promise<string | undefined> => {
        if (Math.random() < 0.5)
          return bodyOf(
            await site.key.post<{ message_id: string }>(`/rooms/${roomIdOf(chatId)}/messages`, message),
            201,
          ).message_id;
        const stream = await sayStreaming(site.key, chatId, message);
        const [received] = await stream.take(1);
        stream.cut();
        return received?.data['message_id'] as string | undefined;
      };
      const id = await until(
        () => say().catch(() => undefined),
        (given) => given !== undefined,
        LEASE_MS,
      );
      acknowledged.set(message.content, id ?? '');
    }
  }

  it('are all answered, however often the server is killed', async () => {
    const chats = await Promise.all(Array.from({ length: CHATS }, () => createChat(site.key)));
    const acknowledged = new Map<string, string>();
    const hold = (): AnswerGate => {
      const gate = new AnswerGate();
      site.model.otherwise = { steps: [...BEFORE, { hold: gate }, ...AFTER] };
      return gate;
    };
    let gate = hold();
    const sending = Promise.all(chats.map(({ id }) => sendAll(id, acknowledged)));
    for (let kill = 1; kill <= KILLS; kill++) {
      await gate.reached;
      await until(
        () => Promise.resolve(acknowledged.size),
        (size) => size >= (kill * CHATS * EACH) / (KILLS + 1),
        LEASE_MS,
      );
      await site.victim.killServer();
      gate.open();
      gate = hold();
    }
    await sending;
    gate.open();
    for (const { id } of chats) {
      const all = await site.answered(id, EACH);
      const mine = [...acknowledged].filter(([content]) => content.startsWith(id)).map(([, messageId]) => messageId);
      expect(mine).toHaveLength(EACH);
      expect(chatFaults(all, mine, () => WHOLE)).toEqual([]);
      expect(bodyOf(await site.key.post<{ messages: [] }>(`${chatPath(id)}/stop`))).toBeDefined();
      expect(await messagesOf(site.key, id)).toEqual(all);
    }
  });
});
