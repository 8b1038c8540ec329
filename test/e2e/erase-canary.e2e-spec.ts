import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type WithModel, withModel } from '../support/chats/http';
import { testCluster } from '../support/database';
import { documentedRoutes } from '../support/documented-routes';
import { erasePath, tracesIn, whenErased } from '../support/erase';
import { CANARY, OTHER, type Places, TRACE, USER, writeEverywhere } from '../support/erase-canary';
import type { Api } from '../support/http/api';
import { allChanges, listAll } from '../support/messages';
import { captureLog } from '../support/recording-log';
import { bodyOf, FORBIDDEN, refusal } from '../support/rooms';
import { fieldsOf, routeSchemas, type Schema } from '../support/route-schemas';
import { dumpSql } from '../support/upgrade/dump';
import { hookedTenant, Receiver } from '../support/webhooks/receiver';
import { closeAll, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

/** Fields of bodies that a user's call may carry a text of theirs in. */
const CARRIES_TEXT = new Set([
  ...['POST /rooms: metadata', 'POST /rooms: name', 'PATCH /rooms/{room_id}: metadata', 'PATCH /rooms/{room_id}: name'],
  ...['meta', 'content', 'client_message_id'].map((field) => `POST /rooms/{room_id}/messages: ${field}`),
  ...['meta', 'content'].map((field) => `PATCH /rooms/{room_id}/messages/{message_id}: ${field}`),
  ...['POST /rooms/{room_id}/agents: name', 'PATCH /rooms/{room_id}/agents/{agent_id}: name'],
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
  ...['POST /api/ui/chat: id', 'POST /api/ui/chat: messageId'],
  ...['stream_options', 'response_format', 'stop', 'user'].map((field) => `POST /v1/chat/completions: ${field}`),
  ...['input', 'text', 'reasoning', 'instructions', 'user'].map((field) => `POST /v1/responses: ${field}`),
]);
/** Names of what there is: whatever else is refused, or is a user's id. */
const NAMES =
  /: (room_id|members|user_ids|userId|user_id|preset|conversationId|model|path|filter\.\w+|ids|expires_at|(muted_)?until|previous_response_id)$/;

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
    app.model.otherwise = { steps: [{ reasoning: `The user says ${CANARY}.` }, 'Hello'] };
    rooms = await writeEverywhere(tenant);
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
          'runs.reasoning',
          'cursors.user_id',
          'users.user_id',
        ],
      ]),
    );
    expect(await seenBy(bob, 'bob', Object.values(rooms))).toContain(CANARY);
  });

  it('may not call any more, and their connections end', async () => {
    const once = { headers: { 'idempotency-key': 'erase' } };
    const asked = await app.master.post<{ erasure_id: string }>(erasePath(tenant, USER), undefined, once);
    erasureId = bodyOf(asked, 202).erasure_id;
    expect(await tracesIn(app.database, '/users/zo')).toEqual(['idempotency_keys.route: 1']);
    expect(refusal(await zoe.get('/rooms'))).toEqual(FORBIDDEN);
    expect(refusal(await bearer(app.anonymous, token).get('/rooms'))).toEqual(FORBIDDEN);
    const refused = await WsClient.refused(app.url, { query: { token: ticket } });
    expect(refused.status).toBe(403);
    const said = { userId: USER, message: 'again' };
    expect(refusal(await tenant.key.post('/api/chat', said))).toEqual(FORBIDDEN);
    expect((await mine.ended()).code).toBe(4004);
    expect((await bob.get('/rooms')).status).toBe(200);
  });

  it('is found nowhere afterwards', async () => {
    const { state, counts, finished_at } = await whenErased(app, tenant, erasureId);
    expect({ state, finished_at }).toEqual({ state: 'done', finished_at: expect.any(String) });
    expect(counts).toMatchObject({ users: 1, memberships: 3, chats: 4, cursors: expect.any(Number) });
    expect(await tracesIn(app.database, `${TRACE}|/users/zo`)).toEqual([]);
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
    const pins = theirs.frames.filter(({ type }) => type === 'message.pinned');
    for (const { pinned_by } of pins) expect(pinned_by).toMatch(/^erased_[0-9a-f]{24}$/);
    expect(pins).not.toEqual([]);
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
