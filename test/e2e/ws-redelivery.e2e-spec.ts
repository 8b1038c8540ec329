import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { DEAD_LETTERS, deadLetter, deadLetters, type FailedMessageBody } from '../support/dead-letters';
import { type Api, metricOf } from '../support/http/api';
import { isReplay, pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import { badField, bodyOf, createRoom, FORBIDDEN, listedRoom, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { createKey, withKey } from '../support/tenants';
import { checkFrame } from '../support/ws/asyncapi';
import { closeAll, type ServerFrame, WsClient } from '../support/ws/client';

/** Instead of 30 s: a message is given up on after 31 times this. */
const WAIT_MS = 25;

let app: TestApp;
let tenant: TestTenant;
let users = 0;
const clients: WsClient[] = [];

beforeAll(async () => {
  app = await startTestApp({ env: { WS_ACK_TIMEOUT_MS: String(WAIT_MS) } });
  tenant = await app.tenant();
});
afterEach(async () => {
  for (const client of clients) for (const frame of client.frames) checkFrame(frame, 'server');
  await closeAll(clients);
});
afterAll(() => app.close());

async function connect(userId: string): Promise<WsClient> {
  const client = await WsClient.connect(app.url, { headers: { 'x-api-key': tenant.apiKey, 'x-user-id': userId } });
  clients.push(client);
  await client.frame('presence.snapshot');
  return client;
}

/** A group of two who are new, and how they call. */
async function group(): Promise<{ ann: Api; ben: Api; annId: string; benId: string; room_id: string }> {
  const [annId, benId] = [`ann-${++users}`, `ben-${users}`];
  const [ann, ben] = [tenant.as(annId), tenant.as(benId)];
  const { room_id } = await createRoom(ann, 'group', [benId]);
  return { ann, ben, annId, benId, room_id };
}

const messages = (client: WsClient): ServerFrame[] => client.frames.filter((frame) => frame.type === 'message');
const seqs = (client: WsClient): unknown[] => messages(client).map((frame) => frame['seq']);

async function ack(client: WsClient, room_id: string, seq: number): Promise<void> {
  client.send({ type: 'ack', room_id, seq });
  await client.frame((frame) => frame.type === 'ack.received' && frame['seq'] === seq);
}

/** The letters of one user. */
async function lettersOf(userId: string): Promise<FailedMessageBody[]> {
  return (await deadLetters(tenant.key, '?limit=1000')).failed_messages.filter((letter) => letter.user_id === userId);
}

function untilLetters(userId: string, count: number): Promise<FailedMessageBody[]> {
  return until(
    () => lettersOf(userId),
    (letters) => letters.length === count,
  );
}

const metric = (series: string): Promise<number> => metricOf(app.anonymous, series);

describe('redelivery', () => {
  it('sends again to a connection that acks what it does not, five times in all, and then it is a dead letter', async () => {
    const { ann, benId, room_id } = await group();
    const [ben, silent] = [await connect(benId), await connect(benId)];
    const before = await metric('chatapi_redelivered_total');
    const sent = await sendAll(ann, room_id, ['one', 'two', 'three']);
    await ben.many('message', 3);
    await ack(ben, room_id, 1);
    const letters = await untilLetters(benId, 2);
    expect(letters.map(({ message_id }) => message_id)).toEqual([sent[1]?.message_id, sent[2]?.message_id]);
    for (const letter of letters) expect(letter).toMatchObject({ room_id, attempts: 5, error: 'ack timeout' });
    expect(seqs(ben)).toEqual([1, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3]);
    expect(messages(ben).at(-1)).toEqual(messages(ben)[2]);
    expect(seqs(silent)).toEqual([1, 2, 3]);
    expect(await metric('chatapi_redelivered_total')).toBe(before + 8);
    expect(await metric('chatapi_dead_letters{kind="message"}')).toBe(2);

    // Acknowledged late, one by one.
    await ack(ben, room_id, 2);
    expect((await lettersOf(benId)).map(({ message_id }) => message_id)).toEqual([sent[2]?.message_id]);
    await ack(ben, room_id, 3);
    expect(await lettersOf(benId)).toEqual([]);
    expect(await metric('chatapi_dead_letters{kind="message"}')).toBe(0);
  });

  it('sends what the messages are by now', async () => {
    const { ann, benId, room_id } = await group();
    const ben = await connect(benId);
    // Held back until both have changed, or the first repetition could come before.
    const [kept, edited, deleted] = await sendAll(ann, room_id, ['kept', 'old', 'gone']);
    if (!kept || !edited || !deleted) throw new Error('nothing was sent');
    await ben.many('message', 3);
    bodyOf(await ann.patch(pathOf(room_id, edited), { content: 'new' }));
    bodyOf(await ann.delete(pathOf(room_id, deleted)), 204);
    await ben.frame('message.deleted');
    await ack(ben, room_id, 1);
    const [, , , second, third] = await ben.many('message', 5);
    expect(second).toMatchObject({ seq: 2, message_id: edited.message_id, content: 'new' });
    expect(third).toMatchObject({ seq: 3, message_id: deleted.message_id, content: '' });
    expect(third?.['deleted_at']).not.toBeNull();
    await ack(ben, room_id, 3);
  });

  it.each<[string, (ben: Api, other: WsClient, room_id: string, seq: number) => Promise<unknown>]>([
    ['POST /acks', async (ben, _, room_id, seq) => bodyOf(await ben.post('/acks', { room_id, seq }))],
    ['POST /reads', async (ben, _, room_id, seq) => bodyOf(await ben.post('/reads', { room_id, seq }))],
    ['another connection', (_ben, other, room_id, seq) => ack(other, room_id, seq)],
  ])('ends when the user acknowledges by %s', async (_, acknowledge) => {
    const { ann, ben, benId, room_id } = await group();
    const [client, other] = [await connect(benId), await connect(benId)];
    await sendAll(ann, room_id, ['one', 'two']);
    await client.many('message', 2);
    await ack(client, room_id, 1);
    await client.many('message', 3);
    await acknowledge(ben, other, room_id, 2);
    await client.settled();
    const count = seqs(client).length;
    // A later message goes all its way, and the ones before are not in it.
    await send(ann, room_id);
    await untilLetters(benId, 1);
    expect(seqs(client).slice(count)).toEqual([3, 3, 3, 3, 3]);
  });

  it('counts one’s own messages like any others', async () => {
    const { ann, annId, room_id } = await group();
    const client = await connect(annId);
    await sendAll(ann, room_id, ['one', 'two']);
    await client.many('message', 2);
    await ack(client, room_id, 1);
    await untilLetters(annId, 1);
    expect(seqs(client)).toEqual([1, 2, 2, 2, 2, 2]);
  });

  it('is not for a client that only reads, nor for one whose ack was refused', async () => {
    const { ann, benId, room_id } = await group();
    const [reader, refused, acking] = [await connect(benId), await connect(benId), await connect(benId)];
    await sendAll(ann, room_id, ['one', 'two']);
    await acking.many('message', 2);
    reader.send({ type: 'read', room_id, seq: 1 });
    await reader.frame('read.received');
    refused.send({ type: 'ack', room_id, seq: 99 });
    await refused.frame('error');
    await ack(acking, room_id, 1);
    await untilLetters(benId, 1);
    expect([seqs(reader), seqs(refused)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it.each<[string, (ann: Api, benId: string, room_id: string) => Promise<unknown>, string]>([
    ['membership', (ann, benId, room_id) => ann.delete(`/rooms/${room_id}/members/${benId}`), 'member.left'],
    ['room', (ann, _, room_id) => ann.delete(`/rooms/${room_id}`), 'room.deleted'],
  ])('ends with the %s, and so do its dead letters', async (_, end, frame) => {
    const { ann, annId, benId, room_id } = await group();
    const other = await createRoom(tenant.as(annId), 'group', [benId]);
    const ben = await connect(benId);
    await sendAll(ann, room_id, ['one', 'two', 'three']);
    await sendAll(ann, other.room_id, ['one', 'two']);
    await ben.many('message', 5);
    await deadLetter(app, tenant, room_id, benId, [2, 2]);
    await ack(ben, room_id, 1);
    bodyOf((await end(ann, benId, room_id)) as never, 204);
    await ben.frame(frame);
    const count = ben.frames.filter((each) => each.type === 'message' && each['room_id'] === room_id).length;
    expect((await lettersOf(benId)).filter((letter) => letter.room_id === room_id)).toEqual([]);
    await ack(ben, other.room_id, 1);
    await until(
      () => lettersOf(benId),
      (letters) => letters.length > 0,
    );
    expect((await lettersOf(benId)).map((letter) => letter.room_id)).toEqual([other.room_id]);
    expect(ben.frames.filter((each) => each.type === 'message' && each['room_id'] === room_id)).toHaveLength(count);
  });
});

describe('dead letters', () => {
  it('are replayed to all of the user’s connections with the same ids, as often as one likes, and end when acked', async () => {
    const { ann, ben, benId, room_id } = await group();
    const [one, two] = [await connect(benId), await connect(benId)];
    const sent = await sendAll(ann, room_id, ['one', 'two', 'three']);
    const id = await deadLetter(app, tenant, room_id, benId, [1, 3]);
    for (const client of [one, two]) await client.many('message', 3);
    const replay = (body: object) => tenant.key.post<{ replayed: number }>(`${DEAD_LETTERS}/replay`, body);
    expect(bodyOf(await replay({ ids: [id] }))).toEqual({ replayed: 1 });
    expect(bodyOf(await replay({ filter: { user_id: benId, room_id, kind: 'message' } }))).toEqual({ replayed: 3 });
    for (const client of [one, two]) {
      const again = (await client.many('message', 7)).slice(3);
      expect(again.map((frame) => frame['seq'])).toEqual([1, 1, 2, 3]);
      expect(again[0]).toMatchObject({ message_id: sent[0]?.message_id, content: 'one' });
    }
    expect(await lettersOf(benId)).toMatchObject([{ id, attempts: 7 }, { attempts: 7 }, { attempts: 7 }]);
    bodyOf(await ben.post('/acks', { room_id, seq: 3 }));
    expect(await lettersOf(benId)).toEqual([]);
    expect(bodyOf(await replay({ ids: [id] }))).toEqual({ replayed: 0 });
  });

  it('wait for the next connection of who is not there', async () => {
    const { ann, ben, benId, room_id } = await group();
    await sendAll(ann, room_id, ['one']);
    await deadLetter(app, tenant, room_id, benId);
    expect(bodyOf(await tenant.key.post(`${DEAD_LETTERS}/replay`, { filter: { user_id: benId } }))).toEqual({
      replayed: 1,
    });
    // It lies after the cursor, and what lies there is brought on connect.
    expect(await listedRoom(ben, room_id)).toMatchObject({ last_acked_seq: 0, last_seq: 1 });
    expect(await lettersOf(benId)).toHaveLength(1);
  });

  it('are dropped one by one, also out of the middle', async () => {
    const { ann, benId, room_id } = await group();
    await sendAll(ann, room_id, ['one', 'two', 'three']);
    await deadLetter(app, tenant, room_id, benId, [1, 3]);
    const [first, second, third] = await lettersOf(benId);
    const drop = (id = '') => tenant.key.delete(`${DEAD_LETTERS}/${id}`);
    bodyOf(await drop(second?.id), 204);
    expect(await lettersOf(benId)).toEqual([first, third]);
    expect(refusal(await drop(second?.id))).toEqual(NOT_FOUND);
    for (const id of ['x', 'dl_1', `${first?.id}0`, first?.id.toUpperCase(), first?.id.replace('dl_', 'msg_')])
      expect(refusal(await drop(encodeURIComponent(id ?? '')))).toEqual(NOT_FOUND);
    expect(await lettersOf(benId)).toEqual([first, third]);
  });

  it('are seen by any key of the tenant and the master key, changed by admin keys, and not for users', async () => {
    const { ann, benId, room_id } = await group();
    await send(ann, room_id);
    const id = await deadLetter(app, tenant, room_id, benId);
    const chat = withKey(app, (await createKey(app, tenant)).api_key);
    const admin = withKey(app, (await createKey(app, tenant, { scopes: ['admin'] })).api_key);
    const browser = bearer(app.anonymous, (await mintToken(tenant.key, benId)).token);
    const other = await app.tenant();
    const query = `?tenant_id=${tenant.tenantId}`;
    for (const by of [chat, admin]) {
      expect((await deadLetters(by)).failed_messages).not.toEqual([]);
      expect((await deadLetters(by, query)).failed_notifications).toEqual([]);
    }
    expect((await deadLetters(app.master, query)).failed_messages.map((letter) => letter.id)).toContain(id);
    expect((await deadLetters(other.key)).failed_messages).toEqual([]);
    const calls = (by: Api, more = '') => [
      by.get(`${DEAD_LETTERS}${more}`),
      by.post(`${DEAD_LETTERS}/replay${more}`, { ids: [id] }),
      by.delete(`${DEAD_LETTERS}/${id}${more}`),
    ];
    for (const call of calls(browser)) expect(refusal(await call)).toEqual(FORBIDDEN);
    for (const call of calls(chat).slice(1)) expect(refusal(await call)).toEqual(FORBIDDEN);
    for (const call of calls(app.master)) expect(refusal(await call)).toEqual(badField('tenant_id'));
    for (const call of calls(other.key, query)) expect(refusal(await call)).toEqual(NOT_FOUND);
    for (const call of calls(app.anonymous)) expect((await call).status).toBe(401);
    expect(bodyOf(await other.key.post(`${DEAD_LETTERS}/replay`, { ids: [id] }))).toEqual({ replayed: 0 });
    expect(refusal(await other.key.delete(`${DEAD_LETTERS}/${id}`))).toEqual(NOT_FOUND);
    bodyOf(await app.master.post(`${DEAD_LETTERS}/replay${query}`, { ids: [id] }));
    bodyOf(await app.master.delete(`${DEAD_LETTERS}/${id}${query}`), 204);
    expect(await lettersOf(benId)).toEqual([]);
  });

  it('refuse what makes no sense and change nothing', async () => {
    for (const limit of ['0', '-1', '1001', '1.5', 'x', ''])
      expect(refusal(await tenant.key.get(`${DEAD_LETTERS}?limit=${limit}`))).toEqual(badField('limit'));
    await deadLetters(tenant.key, '?limit=1000');
    const replay = async (body: object) => refusal(await tenant.key.post(`${DEAD_LETTERS}/replay`, body));
    expect(await replay({})).toEqual(badField('ids'));
    expect(await replay({ ids: [] })).toEqual(badField('ids'));
    expect(await replay({ ids: ['x'], filter: {} })).toEqual(badField('filter'));
    expect(await replay({ ids: Array<string>(1001).fill('x') })).toEqual(badField('ids'));
    expect(await replay({ filter: { kind: 'x' } })).toEqual(badField('filter.kind'));
    expect(await replay({ filter: { before: 'yesterday' } })).toEqual(badField('filter.before'));
    expect(await replay({ filter: { topic: 'x' } })).toEqual(badField('filter.topic'));
    const nothing = [{ ids: ['x', 'dl_x'] }, { filter: { room_id: 'x' } }, { filter: { kind: 'webhook' } }];
    for (const body of [...nothing, { filter: { user_id: 'nobody' } }, { filter: { before: '2020-01-01T00:00:00Z' } }])
      expect(bodyOf(await tenant.key.post(`${DEAD_LETTERS}/replay`, body))).toEqual({ replayed: 0 });
  });

  it('answer a repeated Idempotency-Key without replaying again', async () => {
    const { ann, benId, room_id } = await group();
    await send(ann, room_id);
    await deadLetter(app, tenant, room_id, benId);
    const headers = { 'Idempotency-Key': 'replay-1' };
    const replay = (body: object) => tenant.key.post(`${DEAD_LETTERS}/replay`, body, { headers });
    const first = await replay({ filter: { user_id: benId } });
    expect([bodyOf(first), isReplay(first)]).toEqual([{ replayed: 1 }, false]);
    const again = await replay({ filter: { user_id: benId } });
    expect([bodyOf(again), isReplay(again)]).toEqual([{ replayed: 1 }, true]);
    expect((await replay({ filter: {} })).status).toBe(422);
    expect((await lettersOf(benId))[0]?.attempts).toBe(6);
  });
});
