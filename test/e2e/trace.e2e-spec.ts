import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { createChat, say } from '../support/chats/http';
import { deadLetter } from '../support/dead-letters';
import type { Api, Bodies } from '../support/http/api';
import { until } from '../support/poll';
import { badField, bodyOf, createRoom, NOT_FOUND, refusal, sendAll, userIds } from '../support/rooms';
import { hookedTenant, Receiver } from '../support/webhooks/receiver';
import { closeAll, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

type Trace = Bodies['TraceDto'];
type Recipient = Bodies['TraceRecipientDto'];

/** Instead of 30 s. */
const ACK_MS = 200;
const CANARY = 'c4n4ry';

describe('the trace of a message', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let receiver: Receiver | undefined;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    app = await startTestApp({
      env: { WS_ACK_TIMEOUT_MS: String(ACK_MS), WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_OFFLINE_DELAY_MS: '0' },
    });
  });
  beforeEach(async () => {
    tenant = await app.tenant();
    alice = tenant.as('alice');
  });
  afterEach(async () => {
    await closeAll(clients);
    await receiver?.stop();
    receiver = undefined;
  });
  afterAll(() => app.close());

  async function open(userId: string): Promise<{ client: WsClient; connection_id: string }> {
    const client = await WsClient.admitted(app.url, { headers: keyOf(tenant, userId) });
    clients.push(client);
    return { client, connection_id: String((await client.frame('hello'))['connection_id']) };
  }

  const at = (roomId: string, messageId: string): string => `/rooms/${roomId}/messages/${messageId}/trace`;
  const trace = async (roomId: string, messageId: string, query = ''): Promise<Trace> =>
    bodyOf(await tenant.key.get<Trace>(at(roomId, messageId) + query));
  const recipient = ({ recipients }: Trace, userId: string): Recipient => {
    const found = recipients.find(({ user_id }) => user_id === userId);
    if (found === undefined) throw new Error(`${userId} is no recipient`);
    return found;
  };
  const said = async (roomId: string, by = alice): Promise<string> =>
    (await sendAll(by, roomId, [CANARY]))[0]?.message_id ?? '';
  const move = async (userId: string, what: 'acks' | 'reads', room_id: string, seq: number): Promise<void> => {
    bodyOf(await tenant.as(userId).post(`/${what}`, { room_id, seq }));
  };

  it('tells when it was taken and committed, with what, and never what it says', async () => {
    const before = Date.now();
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const message_id = await said(room_id);
    const told = await trace(room_id, message_id);
    expect(told).toMatchObject({ message_id, room_id, sender_id: 'alice', next: null });
    const took = { waited_ms: expect.any(Number), took_ms: expect.any(Number) };
    expect(told.committed).toEqual({ seq: 1, rev: 1, at: expect.any(String), batch: { messages: 1, ...took } });
    expect(Date.parse(told.accepted_at ?? '')).toBeGreaterThanOrEqual(before);
    expect(Date.parse(told.accepted_at ?? '')).toBeLessThanOrEqual(Date.now());
    expect(told.unknown.join()).not.toMatch(/batch|revision|accepted/);
    expect(JSON.stringify(told)).not.toContain(CANARY);
    bodyOf(await alice.patch(`/rooms/${room_id}/messages/${message_id}`, { content: 'other' }));
    const changed = await trace(room_id, message_id);
    expect(changed.committed).toMatchObject({ seq: 1, rev: null });
    expect(changed.unknown).toContain('the revision of its commit: it was changed since');
  });

  it('says of an answer of a model that it does not know when it was accepted', async () => {
    const { id } = await createChat(tenant.key, 'alice');
    await say(tenant.key, id, 'hello');
    const room_id = `room_${id.replaceAll('-', '')}`;
    const { messages = [] } = bodyOf(
      await tenant.key.get<Bodies['AdminRoomDetailDto']>(`/admin/rooms/${room_id}?content=true`),
    );
    const question = await trace(room_id, messages[0]?.message_id ?? '');
    expect(question.accepted_at).not.toBeNull();
    expect(question.recipients.map(({ user_id }) => user_id)).toEqual(['alice']);
    const answered = messages[1];
    if (answered === undefined) throw new Error('the chat was not answered');
    const answer = await trace(room_id, answered.message_id);
    expect([answer.accepted_at, answer.unknown.some((words) => words.includes('accepted'))]).toEqual([null, true]);
  });

  it('has as recipients who was a member before it, page by page', async () => {
    const members = userIds('user-', 4);
    const { room_id } = await createRoom(alice, 'group', members);
    const message_id = await said(room_id);
    bodyOf(await alice.post(`/rooms/${room_id}/members`, { user_ids: userIds('late-', 3) }));
    const found: Recipient[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Trace = await trace(room_id, message_id, `?limit=2${cursor && `&cursor=${cursor}`}`);
      found.push(...page.recipients);
      cursor = page.next;
    }
    expect(found.map(({ user_id, is_sender }) => [user_id, is_sender])).toEqual([
      ['alice', true],
      ...members.map((user) => [user, false]),
    ]);
  });

  it('tells who has acknowledged and read it, and when, where that is known', async () => {
    const { room_id } = await createRoom(alice, 'group', ['bob', 'carol', 'dave']);
    const message_id = await said(room_id);
    await move('bob', 'acks', room_id, 1);
    await move('carol', 'reads', room_id, 1);
    const told = await trace(room_id, message_id);
    const [no, yes, unknown] = [
      { done: false, at: null },
      { done: true, at: expect.any(String) },
      { done: true, at: null },
    ];
    const marks = (user: string, of = told): unknown[] => [recipient(of, user).acked, recipient(of, user).read];
    expect(marks('bob')).toEqual([yes, no]);
    expect(marks('carol')).toEqual([unknown, yes]);
    expect(marks('dave')).toEqual([no, no]);
    await said(room_id);
    await move('carol', 'reads', room_id, 2);
    await move('bob', 'acks', room_id, 2);
    const later = await trace(room_id, message_id);
    expect(marks('bob', later)).toEqual([unknown, no]);
    expect(marks('carol', later)).toEqual([unknown, unknown]);
  });

  it('tells which open connections have it, and how often it was sent again', async () => {
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const live = await open('bob');
    await live.client.frame('presence.snapshot');
    const first = await said(room_id);
    await live.client.frame('message');
    live.client.send({ type: 'ack', room_id, seq: 1 });
    await live.client.frame('ack.received');
    const message_id = await said(room_id);
    await until(
      () => trace(room_id, message_id),
      (told) => (recipient(told, 'bob').connections[0]?.redelivered ?? 0) >= 2,
    );
    expect(live.client.got('message').filter(({ seq }) => seq === 2).length).toBeGreaterThanOrEqual(3);
    live.client.send({ type: 'unsubscribe', room_id });
    await live.client.frame('unsubscribed');
    const later = await open('bob');
    await later.client.frame('sync.complete');
    const told = await trace(room_id, message_id);
    const node_id: unknown = expect.any(String);
    const opened_at: unknown = expect.any(String);
    expect(recipient(told, 'bob').connections).toEqual([
      { node_id, connection_id: live.connection_id, opened_at, sent: false, redelivered: null },
      { node_id, connection_id: later.connection_id, opened_at, sent: true, redelivered: null },
    ]);
    expect(recipient(await trace(room_id, first), 'alice').connections).toEqual([]);
  });

  it('tells of those for whom it was given up', async () => {
    const { room_id } = await createRoom(alice, 'group', ['bob', 'carol']);
    const [, second, third] = await sendAll(alice, room_id, ['1', '2', '3']);
    await deadLetter(app, tenant, room_id, 'bob', [1, 2]);
    const told = await trace(room_id, second?.message_id ?? '');
    expect(recipient(told, 'bob').dead_letter).toEqual({
      ...{ id: expect.stringMatching(/^dl_/), attempts: 5, last_attempt_at: expect.any(String), error: 'ack timeout' },
    });
    expect(recipient(told, 'carol').dead_letter).toBeNull();
    expect(recipient(await trace(room_id, third?.message_id ?? ''), 'bob').dead_letter).toBeNull();
    const { id = '' } = recipient(told, 'bob').dead_letter ?? {};
    expect((await tenant.key.delete(`/admin/dead-letters/${id}`)).status).toBe(204);
    expect(recipient(await trace(room_id, second?.message_id ?? ''), 'bob').dead_letter).toBeNull();
  });

  it('tells what the webhook was told, and of whom, while that is known', async () => {
    receiver = await Receiver.start();
    receiver.answer = (response) => void response.writeHead(500).end();
    tenant = await hookedTenant(app, receiver, ['message.created', 'message.offline']);
    alice = tenant.as('alice');
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const message_id = await said(room_id);
    const failing = await until(
      () => trace(room_id, message_id),
      ({ webhooks }) => webhooks.length === 2 && webhooks.every(({ attempts }) => attempts > 0),
    );
    const offline = failing.webhooks.find(({ type }) => type === 'message.offline');
    expect(offline).toMatchObject({ state: 'pending', status: 500 });
    expect(recipient(failing, 'bob').webhook_ids).toEqual([offline?.webhook_id]);
    expect(recipient(failing, 'alice').webhook_ids).toEqual([]);
  });

  it('of what is not there, and of another tenant, is 404', async () => {
    const foreign = await app.tenant();
    const { room_id } = await createRoom(alice, 'group', []);
    const other = await createRoom(alice, 'group', []);
    const message_id = await said(room_id);
    const none = [
      at(other.room_id, message_id),
      at(room_id, `msg_${'0'.repeat(32)}`),
      at(room_id, 'x'),
      at(`room_${'0'.repeat(32)}`, message_id),
      at('x', message_id),
      `${at(room_id, message_id)}?tenant_id=${foreign.tenantId}`,
    ];
    for (const path of none) expect([path, refusal(await tenant.key.get(path))]).toEqual([path, NOT_FOUND]);
    expect(refusal(await foreign.key.get(at(room_id, message_id)))).toEqual(NOT_FOUND);
    expect(refusal(await app.master.get(at(room_id, message_id)))).toEqual(badField('tenant_id'));
    const named = `${at(room_id, message_id)}?tenant_id=${tenant.tenantId}`;
    expect(bodyOf(await app.master.get<Trace>(named)).message_id).toBe(message_id);
  });

  it.each([
    ['cursor', 'cursor=nonsense'],
    ['cursor', 'cursor=WyJhIl0'],
    ['limit', 'limit=0'],
  ])('a bad %s is 400: %s', async (field, query) => {
    expect(refusal(await tenant.key.get(`${at('x', 'x')}?${query}`))).toEqual(badField(field));
  });
});
