import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  chatPath,
  conversationIdOf,
  createChat,
  FAKE_ANSWER,
  roomIdOf,
  say,
  sayStreaming,
  withModel,
  type WithModel,
} from '../support/chats/http';
import { AnswerReader, openChat } from '../support/chats/socket';
import { SseClient, textOf } from '../support/chats/sse';
import { AnswerGate, type ProviderServer } from '../support/fake-model';
import { type HintLoss, lossyStart } from '../support/lossy-bus';
import { until } from '../support/poll';
import { bodyOf, refusal } from '../support/rooms';
import { closeAll, type WsClient } from '../support/ws/client';

let loss: HintLoss;
let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;
let chat: ChatBody;

beforeAll(async () => {
  const start = lossyStart((started) => (loss = started));
  app = await withModel((env) => startTestApp({ env, start }));
  ({ model } = app);
  tenant = await app.tenant();
});
afterAll(() => app.close());

const clients: WsClient[] = [];
beforeEach(async () => {
  model.reset();
  loss.lose();
  chat = await createChat(tenant.key);
});
afterEach(() => closeAll(clients));

async function connect(): Promise<WsClient> {
  const client = await openChat(app.url, tenant, chat.id);
  clients.push(client);
  return client;
}

const BODY = { content: 'Hello', client_message_id: 'c1' };

describe('a server that no hint reaches of', () => {
  it('the end of an answer ends it for whoever follows it', async () => {
    loss.lose('ended');
    const client = await connect();
    const stream = await sayStreaming(tenant.key, chat.id, BODY);
    const waiting = say(tenant.key, chat.id, BODY);
    const events = await stream.rest();
    expect(events.at(-1)?.data).toMatchObject({ event_type: 'message_stream_ended', content: FAKE_ANSWER });
    expect(textOf(events)).toBe(FAKE_ANSWER);
    expect(bodyOf(await waiting).answer).toMatchObject({ content: FAKE_ANSWER, status: 'completed' });
    expect(await client.frame('message_stream_ended')).toMatchObject({ content: FAKE_ANSWER });
    const said = { message: 'and now?', userId: 'alice', conversationId: conversationIdOf(chat.id) };
    const other = await SseClient.open(tenant.key, 'POST', '/api/chat/stream', { body: said });
    expect(textOf(await other.rest())).toBe(FAKE_ANSWER);
    const answer = await tenant.key.post<{ data: { response: string } }>('/api/chat', said);
    expect(bodyOf(answer).data.response).toBe(FAKE_ANSWER);
    expect(await client.many('message_stream_ended', 3)).toHaveLength(3);
    expect(loss.lost).toEqual(['ended', 'ended', 'ended']);
  });

  it('the deletion of a chat refuses whoever waits in it', async () => {
    loss.lose('deleted');
    const client = await connect();
    const gate = new AnswerGate();
    model.next({ steps: ['a', { hold: gate }] });
    const stream = await sayStreaming(tenant.key, chat.id, BODY);
    const waiting = say(tenant.key, chat.id, BODY);
    await gate.reached;
    bodyOf(await tenant.key.delete(chatPath(chat.id)));
    expect((await stream.rest()).at(-1)?.data).toMatchObject({ event_type: 'error', error_code: 'NOT_FOUND' });
    expect(refusal(await waiting)).toEqual({ status: 404, code: 'NOT_FOUND' });
    expect(await client.ended()).toMatchObject({ code: 4004 });
    expect(loss.lost).toEqual(['deleted']);
  });

  it('messages tells each of them to the connections of its chat, whichever door it came through', async () => {
    loss.lose('message');
    const [one, two] = [await connect(), await connect()];
    await ask(tenant.key, chat.id, { ...BODY, content: 'by REST' });
    await tenant.as('alice').post(`/rooms/${roomIdOf(chat.id)}/messages`, { content: 'by room' });
    const conversationId = conversationIdOf(chat.id);
    await tenant.key.post('/api/chat', { message: 'by conversation', userId: 'alice', conversationId });
    for (const client of [one, two]) {
      const told = await client.many('message_received', 3);
      expect(told.map(({ content }) => content)).toEqual(['by REST', 'by room', 'by conversation']);
      expect(told[0]).toMatchObject({ chat_id: chat.id, client_message_id: 'c1', seq: 1 });
      await client.many('message_stream_ended', 3);
    }
    loss.lose();
    // What was found in the log is not told once more by what comes now.
    await ask(tenant.key, chat.id, 'heard of');
    for (const client of [one, two])
      expect((await client.many('message_received', 4)).map(({ content }) => content)).toEqual([
        ...['by REST', 'by room', 'by conversation'],
        'heard of',
      ]);
  });

  it('a stop ends an answer whose provider says nothing', async () => {
    loss.lose('stop');
    await app.database.sql('DELETE FROM run_chunks');
    const client = await connect();
    const gate = new AnswerGate();
    model.next({ steps: ['So ', 'far', { hold: gate }, ' and no further'] });
    const waiting = say(tenant.key, chat.id, BODY);
    // Whoever stores a token learns of the stop by that.
    await until(
      () =>
        app.database.sql<{ text: string }>('SELECT string_agg(text, $1 ORDER BY first_index) AS text FROM run_chunks', [
          '',
        ]),
      ([stored]) => stored?.text === 'So far',
    );
    bodyOf(await tenant.key.post(`${chatPath(chat.id)}/stop`));
    expect(await (await model.request(1)).closed).toBe('early');
    expect(bodyOf(await waiting).answer).toMatchObject({ content: 'So far', status: 'cancelled' });
    expect(await client.frame('message_stream_ended')).toMatchObject({ status: 'cancelled' });
    expect(loss.lost).toEqual(['stop']);
  });

  it('anything tells a connection all of a chat: the message, each token once, the end', async () => {
    loss.lose('message', 'started', 'tokens', 'ended');
    const client = await connect();
    const gate = new AnswerGate();
    model.next({ steps: ['So ', 'far', { hold: gate }, ' and', ' no further'] });
    const waiting = say(tenant.key, chat.id, BODY);
    await client.frame(({ type, index }) => type === 'message_stream_token' && index === 1);
    gate.open();
    await client.frame('message_stream_ended');
    await client.frame('message_received');
    const reader = new AnswerReader();
    for (const frame of client.frames) reader.take(frame);
    expect([reader.text, reader.end?.['content']]).toEqual(['So far and no further', 'So far and no further']);
    expect(bodyOf(await waiting).answer).toMatchObject({ content: 'So far and no further' });
  });
});
