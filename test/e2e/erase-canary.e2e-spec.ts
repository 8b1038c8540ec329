import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { ask, createChat, type WithModel, withModel } from '../support/chats/http';
import { testCluster } from '../support/database';
import { documentedRoutes } from '../support/documented-routes';
import { requestErase, tracesIn, whenErased } from '../support/erase';
import type { Api } from '../support/http/api';
import { allChanges, listAll, pathOf, send } from '../support/messages';
import { notify } from '../support/notifications';
import { captureLog } from '../support/recording-log';
import { bodyOf, createRoom, FORBIDDEN, refusal } from '../support/rooms';
import { fieldsOf, routeSchemas, type Schema } from '../support/route-schemas';
import { dumpSql } from '../support/upgrade/dump';
import { hookedTenant, Receiver } from '../support/webhooks/receiver';
import { closeAll, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

/** Hard on whatever looks for it: JSON escapes it, a dm's key and a path encode it, and it is the beginning of another. */
const USER = 'zo"e:7f3c1d';
const OTHER = `${USER}-junior`;
/** Stands in every form of the id: quoted, encoded. */
const ID_MARK = '7f3c1d';
const CANARY = 'C4N4RY';

/** A trace of the user in a text: of what they wrote, or of their id in whatever form, and not of OTHER's. */
const TRACE = `${CANARY}|${ID_MARK}(?!-junior)`;

/** Fields of bodies that a user's call may carry a text of theirs in. */
const CARRIES_TEXT = new Set([
  ...['POST /rooms: metadata', 'POST /rooms: name', 'PATCH /rooms/{room_id}: metadata', 'PATCH /rooms/{room_id}: name'],
  ...['meta', 'content', 'client_message_id'].map((field) => `POST /rooms/{room_id}/messages: ${field}`),
  ...['meta', 'content'].map((field) => `PATCH /rooms/{room_id}/messages/{message_id}: ${field}`),
  'POST /subscriptions: topic',
  ...['message', 'groupId', 'clientMessageId', 'stop', 'responseFormat'].map((field) => `POST /api/chat: ${field}`),
  ...['message', 'groupId', 'clientMessageId', 'stop', 'responseFormat'].map(
    (field) => `POST /api/chat/stream: ${field}`,
  ),
  ...['POST /api/v1/chats: metadata', 'POST /api/v1/chats: title'],
  ...['PATCH /api/v1/chats/{chat_id}: metadata', 'PATCH /api/v1/chats/{chat_id}: title'],
  ...['metadata', 'content', 'client_message_id', 'stop', 'response_format'].map(
    (field) => `POST /api/v1/chats/{chat_id}/messages: ${field}`,
  ),
]);
/** Names of what there is: whatever else is refused, or is a user's id. */
const NAMES =
  /: (room_id|members|user_ids|userId|user_id|preset|conversationId|model|path|filter\.\w+|ids|expires_at)$/;

let app: WithModel<TestApp>;
let receiver: Receiver;
let tenant: TestTenant;
let zoe: Api;
let bob: Api;
const captured = captureLog('trace');
const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-erase-'));

beforeAll(async () => {
  receiver = await Receiver.start();
  app = await withModel((env) =>
    startTestApp({ log: captured.log, env: { ...env, DATA_DIR: dataDir, WEBHOOK_ALLOW_PRIVATE: 'true' } }),
  );
  tenant = await hookedTenant(app, receiver, [
    ...['message.created', 'message.offline', 'notification.offline', 'room.created', 'member.joined', 'member.left'],
  ]);
  zoe = tenant.as(USER);
  bob = tenant.as('bob');
});
afterAll(async () => {
  await app.close();
  await receiver.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Places {
  readonly group: string;
  readonly bobs: string;
  readonly dm: string;
  readonly left: string;
}

const idempotent = (key: string): { headers: Record<string, string> } => ({ headers: { 'idempotency-key': key } });

/** The canary, in every place that takes a text from a user; the id, in every place where a call may name one. */
async function writeEverywhere(): Promise<Places> {
  const me = encodeURIComponent(USER);
  const named = { name: CANARY, metadata: { [CANARY]: { note: CANARY }, owner: USER } };
  const { room_id: group } = bodyOf(
    await zoe.post<{ room_id: string }>(
      '/rooms',
      { type: 'group', members: ['bob', OTHER], ...named },
      idempotent(CANARY),
    ),
    201,
  );
  const { room_id: bobs } = await createRoom(bob, 'group', [USER, OTHER], {
    name: 'of bob',
    metadata: { owner: USER },
  });
  const { room_id: dm } = await createRoom(zoe, 'dm', ['bob'], named);
  const { room_id: left } = await createRoom(bob, 'channel', [USER]);
  bodyOf(await bob.patch(`/rooms/${left}/members/${me}`, { role: 'admin' }));
  bodyOf(await bob.post(`/rooms/${bobs}/members`, { user_ids: [USER, 'carol'] }, idempotent('adds')));
  bodyOf(await zoe.patch(`/rooms/${left}`, named));
  bodyOf(await bob.patch(`/rooms/${left}`, { posting: 'members' }));
  bodyOf(await zoe.delete(`/rooms/${left}/members/${me}`), 204);
  for (const room of [group, bobs, dm]) {
    const body = { content: CANARY, meta: { [CANARY]: CANARY }, client_message_id: `${CANARY}-1` };
    const first = await send(zoe, room, body);
    bodyOf(await zoe.patch(pathOf(room, first), { content: `${CANARY} again`, meta: { [CANARY]: 2 } }));
    const gone = await send(zoe, room, { content: CANARY, client_message_id: `${CANARY}-2` });
    bodyOf(await zoe.delete(pathOf(room, gone)), 204);
    await send(bob, room, { content: 'what bob wrote' });
    bodyOf(await zoe.post(`/rooms/${room}/messages`, { content: CANARY }, idempotent(CANARY)), 201);
  }
  bodyOf(await zoe.post('/subscriptions', { topic: CANARY }, idempotent(CANARY)), 201);
  await notify(tenant, { topic: 'news', payload: { to: USER, [USER]: 1 }, targets: { user_ids: [USER, 'bob'] } });
  await notify(tenant, { topic: CANARY, payload: { text: CANARY }, targets: { user_ids: [USER] } });
  expect((await zoe.post('/acks', { room_id: bobs, seq: 1 })).status).toBeLessThan(300);
  await writeInChats();
  return { group, bobs, dm, left };
}

async function writeInChats(): Promise<void> {
  const chat = await createChat(tenant.key, USER, { title: CANARY, metadata: { note: CANARY } });
  await tenant.key.patch(`/api/v1/chats/${chat.id}`, { title: `${CANARY} 2`, metadata: { more: CANARY } });
  const options = { stop: [CANARY], response_format: { type: 'json_object' } };
  const body = { content: CANARY, metadata: { [CANARY]: 1 }, client_message_id: CANARY, ...options };
  await ask(tenant.key, chat.id, body);
  const said = { userId: USER, groupId: CANARY, message: CANARY, clientMessageId: CANARY, stop: [CANARY] };
  expect((await tenant.key.post('/api/chat', said)).status).toBe(200);
}

/** Everything that a member sees of rooms: pages, changes, and what a sync of all brings. */
async function seenBy(by: Api, user: string, rooms: readonly string[]): Promise<string> {
  const seen: unknown[] = [(await by.get('/rooms?limit=100')).body];
  for (const room of rooms) {
    seen.push(await listAll(by, room), await allChanges(by, room));
    seen.push((await by.get(`/rooms/${room}/members?limit=100`)).body, (await by.get(`/rooms/${room}`)).body);
  }
  const client = await WsClient.connect(app.url, { headers: keyOf(tenant, user) });
  for (const room_id of rooms) client.send({ type: 'sync', room_id, after_seq: 0, after_rev: 0 });
  await client.many('sync.complete', rooms.length);
  seen.push(client.frames);
  await client.close();
  return JSON.stringify(seen);
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((name) => statSync(name).isFile());
}

describe('a user who is erased', () => {
  let rooms: Places;
  let ticket: string;
  let token: string;
  const clients: WsClient[] = [];
  let mine: WsClient;
  let theirs: WsClient;
  let erasureId: string;

  beforeAll(async () => {
    rooms = await writeEverywhere();
    token = (await mintToken(tenant.key, USER)).token;
    ticket = bodyOf(await zoe.post<{ token: string }>('/ws/token')).token;
    mine = await WsClient.connect(app.url, { headers: keyOf(tenant, USER) });
    theirs = await WsClient.connect(app.url, { headers: keyOf(tenant, 'bob') });
    clients.push(mine, theirs);
  });
  afterAll(() => closeAll(clients));

  it('has written into every field that takes a text from a user', () => {
    const fields = routeSchemas()
      .filter(({ method, path }) => isForUsers(method, path))
      .flatMap(({ method, path, body }) =>
        fieldsOf(body ?? {})
          .filter(({ schema }) => takesText(schema))
          .map((field) => `${method} ${path}: ${field.path.join('.')}`),
      );
    const texts = fields.filter((field) => !NAMES.test(field) && !CARRIES_TEXT.has(field));
    expect(texts).toEqual([]);
    expect(fields).toEqual(expect.arrayContaining([...CARRIES_TEXT]));
  });

  it('is found in the tables before', async () => {
    const places = (await tracesIn(app.database, TRACE)).map((place) => place.split(':', 1)[0]);
    expect(places).toEqual(
      expect.arrayContaining([
        ...['messages.content', 'messages.meta', 'messages.client_message_id', 'messages.sender_id', 'rooms.name'],
        ...['rooms.metadata', 'rooms.unique_key', 'rooms.described_by', 'room_events.payload', 'room_members.user_id'],
        ...['idempotency_keys.key', 'idempotency_keys.result', 'notifications.payload', 'notifications.user_ids'],
        ...[
          'subscriptions.topic',
          'chats.group_id',
          'runs.user_id',
          'runs.options',
          'cursors.user_id',
          'users.user_id',
        ],
      ]),
    );
    expect(await seenBy(bob, 'bob', Object.values(rooms))).toContain(CANARY);
  });

  it('may not call any more, and their connections end', async () => {
    erasureId = await requestErase(app, tenant, USER);
    expect(refusal(await zoe.get('/rooms'))).toEqual(FORBIDDEN);
    expect(refusal(await bearer(app.anonymous, token).get('/rooms'))).toEqual(FORBIDDEN);
    const refused = await WsClient.refused(app.url, { query: { token: ticket } });
    expect(refused.status).toBe(403);
    expect((await mine.ended()).code).toBe(4003);
    expect((await bob.get('/rooms')).status).toBe(200);
  });

  it('is found nowhere afterwards', async () => {
    const { state, counts, finished_at } = await whenErased(app, tenant, erasureId);
    expect({ state, finished_at }).toEqual({ state: 'done', finished_at: expect.any(String) });
    expect(counts).toMatchObject({ users: 1, memberships: 3, chats: 2, cursors: expect.any(Number) });
    expect(await tracesIn(app.database, TRACE)).toEqual([]);
    const trace = new RegExp(TRACE);
    const dump = await dumpSql({ ...testCluster().admin, database: app.database.name });
    expect(trace.exec(dump)?.[0]).toBeUndefined();
    expect(dump).toContain('what bob wrote');
    for (const file of filesBelow(dataDir))
      expect([file, trace.test(readFileSync(file, 'latin1'))]).toEqual([file, false]);
    expect(trace.exec(captured.text())?.[0]).toBeUndefined();
    expect(captured.text()).toContain('/admin/tenants/:tenant_id/users/:user_id/erase');
  });

  it('is seen by nobody: what others wrote stays', async () => {
    const seen = await seenBy(bob, 'bob', Object.values(rooms));
    expect(new RegExp(TRACE).exec(seen)?.[0]).toBeUndefined();
    expect(seen).toContain('what bob wrote');
    expect(seen).toContain(JSON.stringify(OTHER).slice(1, -1));
    const told = theirs.frames.map(({ type }) => type);
    expect(told).toEqual(expect.arrayContaining(['message.deleted', 'member.left', 'room.updated']));
    const [member] = bodyOf(await bob.get<{ user_id: string }[]>(`/rooms/${rooms.dm}/members`));
    expect(member?.user_id).toMatch(/^erased_[0-9a-f]{24}$/);
    expect(refusal(await bob.post(`/rooms/${rooms.dm}/messages`, { content: 'hello?' }))).toEqual(FORBIDDEN);
  });

  it('leaves a chain that holds, and names nobody', async () => {
    const of = `?tenant_id=${tenant.tenantId}`;
    expect(bodyOf(await app.master.get(`/admin/audit/verify${of}`))).toMatchObject({ holds: true });
    const rows = bodyOf(await app.master.get<{ items: object[] }>(`/admin/audit${of}&action=user.erase`));
    expect(rows.items).toMatchObject([{ action: 'user.erase', target: { kind: 'user', user_id: null } }]);
  });
});

/** Whether users call it themselves, or the tenant's server for them: administrators write what is the operator's. */
function isForUsers(method: string, path: string): boolean {
  const route = documentedRoutes().find((each) => each.method === method && each.path === path);
  return route?.schemes.some((scheme) => scheme === 'bearer' || scheme === 'userId') === true;
}

function takesText({ type, enum: words, items, oneOf, properties }: Schema): boolean {
  if (words !== undefined) return false;
  if (type === 'array') return items !== undefined && takesText(items);
  return type === 'string' || oneOf !== undefined || (type === 'object' && properties === undefined);
}
