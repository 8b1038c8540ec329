import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import type { TestApp, TestTenant } from '../support/app';
import {
  type ChatBody,
  createChat,
  messagesOf,
  rejoin,
  sayStreaming,
  startChatApp,
  type WithModel,
} from '../support/chats/http';
import { AnswerReader, chatOptions, openChat, typesOf } from '../support/chats/socket';
import { AnswerGate, type ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';
import { closeAll, WsClient } from '../support/ws/client';

const WORDS = ['One ', 'two ', 'drei ', '四 ', '😀 ', 'six ', 'seven ', 'eight.'];
const WHOLE = WORDS.join('');
const NOBODY = 'msg_019000000000700080000000ffffffff';

let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;
let chat: ChatBody;
let gates: AnswerGate[];
const clients: WsClient[] = [];

beforeAll(async () => {
  app = await startChatApp();
  ({ model } = app);
  tenant = await app.tenant();
});
afterAll(() => app.close());
beforeEach(async () => {
  model.reset();
  chat = await createChat(tenant.key);
  gates = WORDS.map(() => new AnswerGate());
  model.next({ steps: WORDS.flatMap((word, i) => [word, { hold: gates[i] ?? new AnswerGate() }]) });
});
afterEach(async () => {
  for (const gate of gates) gate.open();
  await closeAll(clients);
});

async function open(query: object = {}): Promise<WsClient> {
  const client = await openChat(app.url, tenant, chat.id, { query });
  clients.push(client);
  return client;
}

/** Lets the model say so many words in all. */
function letOut(words: number): void {
  for (const gate of gates.slice(0, Math.max(0, words - 1))) gate.open();
}

/** The token of this index is here, alone or with others. */
function token(client: WsClient, index: number): Promise<unknown> {
  return client.frame((frame) => frame.type === 'message_stream_token' && Number(frame['index']) >= index);
}

/** An answer of which all words but the last few are out; resolves with its id. */
async function begun(words: number): Promise<string> {
  const first = await open();
  first.send({ content: 'Count' });
  letOut(words);
  await token(first, words - 1);
  return String(first.got('message_stream_started')[0]?.['message_id']);
}

function readAll(client: WsClient, reader = new AnswerReader()): AnswerReader {
  for (const frame of client.frames) reader.take(frame);
  return reader;
}

/** How a client that was cut comes back, with what it has. */
const WAYS: [string, (reader: AnswerReader) => Promise<WsClient>][] = [
  ['last_event_id', (reader) => open(reader.place)],
  ['a resume frame', resuming],
  ['nothing: it drops what it has', () => open()],
];

/** It is told of the answer from its beginning before its frame is read: what it wants begins with the second start. */
async function resuming(reader: AnswerReader): Promise<WsClient> {
  const client = await open();
  if (reader.messageId === undefined) return client;
  client.send({ type: 'resume', message_id: reader.messageId, after_index: reader.index });
  const [, again] = await client.many('message_stream_started', 2);
  expect(again).toMatchObject({ message_id: reader.messageId, after_index: reader.index });
  client.frames.splice(
    0,
    client.frames.findIndex((frame) => frame === again),
  );
  return client;
}

/** The client that docs/protocol.md shows. */
interface ShownClient {
  take(event: object): void;
  readonly answers: Map<string, readonly { readonly index: number; readonly token: string }[]>;
}

function shownClient(): ShownClient {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'protocol.md'), 'utf8');
  const [, code] = /^```js client\n([^]*?)^```$/m.exec(page) ?? [];
  if (code === undefined) throw new Error('docs/protocol.md shows no client of /ws/chat');
  return runInNewContext(`${code}; ({ take, answers })`) as ShownClient;
}

describe.each(WAYS)('coming back with %s', (_, comeBack) => {
  it.each([1, 2, 3, 4, 5])('after every %d tokens: what it puts together is what is stored', async (n) => {
    const [reader, shown] = [new AnswerReader(), shownClient()];
    let client = await open();
    client.send({ content: 'Count' });
    for (let word = 0; word < WORDS.length; word++) {
      letOut(word + 1);
      await token(client, word);
      if ((word + 1) % n !== 0) continue;
      client.ws.terminate();
      readAll(client, reader);
      client.frames.forEach((frame) => shown.take(frame));
      client = await comeBack(reader);
      await until(
        async () => typesOf(client.frames).includes('message_stream_started'),
        (isTold) => isTold,
      );
    }
    gates.at(-1)?.open();
    await client.frame('message_stream_ended');
    readAll(client, reader);
    client.frames.filter(({ type }) => type !== 'message_stream_ended').forEach((frame) => shown.take(frame));
    const pieces = shown.answers.get(reader.messageId ?? '') ?? [];
    expect(pieces.map((piece) => piece.token).join('')).toBe(WHOLE);
    const stored = (await messagesOf(tenant.key, chat.id)).at(-1);
    expect([reader.text, reader.end?.['content'], stored?.content]).toEqual([WHOLE, WHOLE, WHOLE]);
    expect(stored?.id).toBe(reader.messageId);
  });
});

describe('last_event_id', () => {
  it('of an answer that ended meanwhile gives what is missing and its end, once', async () => {
    const messageId = await begun(WORDS.length);
    gates.at(-1)?.open();
    await clients[0]?.frame('message_stream_ended');
    for (let index = -1; index < WORDS.length; index++) {
      const client = await open({ last_event_id: `${messageId}:${index}` });
      const ended = await client.frame('message_stream_ended');
      // An index that it never had: everything.
      const had = index < WORDS.length ? index : -1;
      expect(client.got('message_stream_started')).toMatchObject([{ after_index: had }]);
      const text = client.got('message_stream_token').map((frame) => String(frame['token']));
      expect([index, text.join('')]).toEqual([index, WORDS.slice(had + 1).join('')]);
      expect(ended).toMatchObject({ content: WHOLE, status: 'completed' });
      await client.settled();
      expect(client.got('message_stream_ended')).toHaveLength(1);
      await client.close();
    }
  });

  it('with an index that the answer never had gives it from its beginning, while it is written and after it', async () => {
    const messageId = await begun(2);
    const client = await open({ last_event_id: `${messageId}:999` });
    expect(client.got('message_stream_started')).toMatchObject([{ after_index: -1 }]);
    letOut(WORDS.length + 1);
    await client.frame('message_stream_ended');
    expect(readAll(client).text).toBe(WHOLE);
    const later = await open({ last_event_id: `${messageId}:999` });
    await later.frame('message_stream_ended');
    expect(readAll(later).text).toBe(WHOLE);
  });

  it('of another answer, or of none of this chat, gives what is being written as to everybody', async () => {
    const messageId = await begun(2);
    const other = await createChat(tenant.key);
    for (const place of [`${NOBODY}:3`, `${messageId.slice(0, -4)}ffff:0`]) {
      const client = await open({ last_event_id: place });
      expect(client.got('message_stream_started')).toMatchObject([{ message_id: messageId, after_index: -1 }]);
      await client.close();
    }
    const foreign = await openChat(app.url, tenant, other.id, { query: { last_event_id: `${messageId}:0` } });
    clients.push(foreign);
    expect(typesOf(foreign.frames)).not.toContain('message_stream_started');
    foreign.send({ type: 'resume', message_id: messageId, after_index: 0, request_id: 'r' });
    expect(await foreign.frame('error')).toMatchObject({ error_code: 'NOT_FOUND', request_id: 'r' });
  });

  it('of an earlier answer gives its rest, then the one that is written now', async () => {
    const first = await begun(WORDS.length);
    gates.at(-1)?.open();
    await clients[0]?.frame('message_stream_ended');
    const gate = new AnswerGate();
    model.next({ steps: ['Next', { hold: gate }] });
    gates.push(gate);
    clients[0]?.send({ content: 'And?' });
    await gate.reached;
    const client = await open({ last_event_id: `${first}:5` });
    gate.open();
    await client.many('message_stream_ended', 2);
    const started = client.got('message_stream_started');
    expect(started).toMatchObject([{ message_id: first, after_index: 5 }, { after_index: -1 }]);
    expect(client.got('message_stream_ended').map(({ content }) => content)).toEqual([WHOLE, 'Next']);
  });

  it.each(['nonsense', 'msg_1:2', `${NOBODY}:-2`, `${NOBODY}:1.5`, `${NOBODY}:`, `${NOBODY}:1x`])(
    'that is none is refused: %s',
    async (place) => {
      const answer = await WsClient.refused(app.url, chatOptions(tenant, chat.id, 'alice', { last_event_id: place }));
      expect(answer).toMatchObject({ status: 400, body: { error: { field: 'last_event_id' } } });
      gates.forEach((gate) => gate.open());
    },
  );

  it('goes on where SSE was left', async () => {
    const stream = await sayStreaming(tenant.key, chat.id, 'Count');
    letOut(3);
    const events = await stream.take(3);
    stream.cut();
    const client = await open({ last_event_id: events.at(-1)?.id ?? '' });
    letOut(WORDS.length + 1);
    await client.frame('message_stream_ended');
    const had = events.flatMap(({ data }) => (typeof data['token'] === 'string' ? [data['token']] : [])).join('');
    const rest = client.got('message_stream_token').map((frame) => String(frame['token']));
    expect(had + rest.join('')).toBe(WHOLE);
  });
});

describe('S22: who has the end of an answer', () => {
  it.each<[string, (last: string) => Promise<WsClient>]>([
    ['connects with the id of the last event', (last) => open({ last_event_id: last })],
    [
      'asks to resume after it',
      async (last) => {
        const client = await open();
        client.send({ type: 'resume', message_id: last.split(':')[0], after_index: 2_147_483_647 });
        await client.frame('message_stream_ended');
        return client;
      },
    ],
  ])('%s: no token comes twice', async (_, comeBack) => {
    const stream = await sayStreaming(tenant.key, chat.id, 'Count');
    letOut(WORDS.length + 1);
    const last = (await stream.rest()).at(-1)?.id ?? '';
    expect(last).toMatch(/:2147483647$/);
    const client = await comeBack(last);
    await client.settled();
    expect(client.got('message_stream_token')).toEqual([]);
    expect(client.got('error')).toEqual([]);
    expect((await rejoin(tenant.key, chat.id, last)).status).toBe(204);
  });
});

describe('resume', () => {
  it('of an answer that waits for its turn tells it when it comes, once', async () => {
    await begun(1);
    model.next({ steps: ['Later'] });
    const client = await open();
    const stream = await sayStreaming(tenant.key, chat.id, 'And then?');
    await client.frame('message_received');
    const [row] = await app.database.sql<{ id: string }>(
      `SELECT 'msg_' || replace(run_id::text, '-', '') AS id FROM runs WHERE state = 'queued'`,
    );
    client.send({ type: 'resume', message_id: row?.id, after_index: -1 });
    client.send({ type: 'ping', request_id: 'p' });
    await client.frame('pong');
    letOut(WORDS.length + 1);
    const ends = await client.many('message_stream_ended', 2);
    expect(ends.map(({ content }) => content)).toEqual([WHOLE, 'Later']);
    const tokens = client.got('message_stream_token').filter(({ message_id: id }) => id === row?.id);
    expect(tokens.map((frame) => String(frame['token'])).join('')).toBe('Later');
    expect(client.got('message_stream_ended')).toHaveLength(2);
    await stream.rest();
  });

  it('asked for again and again, while words come, ends with the whole text and one end', async () => {
    const messageId = await begun(1);
    const client = await open();
    for (let word = 1; word < WORDS.length; word++) {
      letOut(word + 1);
      for (const after_index of [-1, word - 1]) client.send({ type: 'resume', message_id: messageId, after_index });
      await token(client, word);
    }
    client.send({ type: 'resume', message_id: messageId, after_index: -1, request_id: 'last' });
    client.send({ type: 'ping' });
    await client.frame('pong');
    gates.at(-1)?.open();
    await client.frame('message_stream_ended');
    await client.settled();
    expect(client.got('message_stream_ended')).toHaveLength(1);
    const last = client.frames.findLastIndex(({ type }) => type === 'message_stream_started');
    const tokens = client.frames.slice(last).filter(({ type }) => type === 'message_stream_token');
    expect(tokens.map((frame) => String(frame['token'])).join('')).toBe(WHOLE);
  });
});

describe('a client that leaves', () => {
  it('right behind its message is answered all the same', async () => {
    const client = await open();
    client.send({ content: 'Count' });
    await client.close();
    letOut(WORDS.length + 1);
    const stored = await until(
      () => messagesOf(tenant.key, chat.id),
      (messages) => messages.length === 2,
    );
    expect(stored[1]).toMatchObject({ content: WHOLE, status: 'completed' });
    const later = await open({ last_event_id: `${stored[1]?.id}:-1` });
    await later.frame('message_stream_ended');
    expect(readAll(later).text).toBe(WHOLE);
  });
});
