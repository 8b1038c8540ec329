import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestApp, TestTenant } from '../support/app';
import { startTestApp } from '../support/app';
import { ask, createChat, type WithModel, withModel } from '../support/chats/http';
import { testCluster } from '../support/database';
import { requestErase, tracesIn, whenErased } from '../support/erase';
import type { Api } from '../support/http/api';
import { allChanges, listAll, pathOf, send } from '../support/messages';
import { notify } from '../support/notifications';
import { captureLog } from '../support/recording-log';
import { bodyOf, createRoom } from '../support/rooms';
import { fieldsOf, routeSchemas } from '../support/route-schemas';
import { uuidOf } from '../support/tenants';
import { dumpSql } from '../support/upgrade/dump';
import { hookedTenant, Receiver } from '../support/webhooks/receiver';
import { closeAll, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

/** Hard on whatever looks for it: JSON escapes it, a dm's key and a path encode it, and it is the beginning of another. */
const USER = 'zo"e:7f3c1d';
const OTHER = `${USER}-junior`;
/** What stands in every form of the id: quoted, encoded. OTHER's has it too, and is cut out before. */
const ID_MARK = '7f3c1d';
const CANARY = 'C4N4RY';

/** Bodies of users, with every field that takes a text of theirs, as this test sends them. */
const WRITTEN: readonly string[] = [
  'POST /rooms: name',
  'POST /rooms: metadata',
  'POST /rooms: members',
];

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

/** The canary, in every place that takes a text from a user; the id, in every place where a call may name one. */
async function writeEverywhere(): Promise<Places> {
  const named = { name: CANARY, metadata: { [CANARY]: { note: CANARY }, owner: USER } };
  const { room_id: group } = await createRoom(zoe, 'group', ['bob', OTHER], named);
  const { room_id: bobs } = await createRoom(bob, 'group', [USER, OTHER], { name: 'of bob', metadata: { owner: USER } });
  const { room_id: dm } = await createRoom(zoe, 'dm', ['bob'], named);
  const { room_id: left } = await createRoom(bob, 'channel', [USER]);
  bodyOf(await bob.patch(`/rooms/${left}/members/${encodeURIComponent(USER)}`, { role: 'admin' }));
  bodyOf(await zoe.patch(`/rooms/${left}`, named, { headers: { 'idempotency-key': CANARY } }));
  bodyOf(await bob.patch(`/rooms/${left}`, { posting: 'members' }, { headers: { 'idempotency-key': 'bobs-key' } }));
  bodyOf(await zoe.delete(`/rooms/${left}/members/${encodeURIComponent(USER)}`), 204);
  for (const room of [group, bobs, dm]) {
    const first = await send(zoe, room, { content: CANARY, meta: { [CANARY]: CANARY }, client_message_id: `${CANARY}-1` });
    await zoe.patch(pathOf(room, first), { content: `${CANARY} again` });
    const gone = await send(zoe, room, { content: CANARY, client_message_id: `${CANARY}-2` });
    await zoe.delete(pathOf(room, gone));
    await send(bob, room, { content: `a message of bob's` });
    bodyOf(await zoe.post(`/rooms/${room}/messages`, { content: CANARY }, { headers: { 'idempotency-key': CANARY } }), 201);
  }
  await zoe.post('/subscriptions', { topic: CANARY }, { headers: { 'idempotency-key': `${CANARY}-s` } });
  await notify(tenant, { topic: 'news', payload: { to: USER, [USER]: 1 }, targets: { user_ids: [USER, 'bob'] } });
  await notify(tenant, { topic: 'news', payload: { text: CANARY }, targets: { user_ids: [USER] } });
  const chat = await createChat(tenant.key, USER, { title: CANARY, metadata: { note: CANARY } });
  await ask(zoe, chat.id, { content: CANARY });
  await tenant.key.post('/api/chat', { userId: USER, groupId: CANARY, message: CANARY });
  await zoe.post(`/rooms/${bobs}/ack`, { seq: 1 });
  await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { name: 'renamed' });
  await tenant.key.with({ 'x-user-id': USER }).delete(`/rooms/${bobs}/members/nobody`);
  return { group, bobs, dm, left };
}

const marks = async (): Promise<string[]> => {
  const all = await tracesIn(app.database, [CANARY, ID_MARK]);
  return all;
};

describe('a user who is erased', () => {
  let rooms: Places;
  let clients: WsClient[] = [];

  beforeAll(async () => {
    rooms = await writeEverywhere();
    clients = [
      await WsClient.connect(app.url, { headers: keyOf(tenant, USER) }),
      await WsClient.connect(app.url, { headers: keyOf(tenant, 'bob') }),
    ];
    for (const client of clients) await client.frame('sync.done').catch(() => undefined);
  });
  afterAll(() => closeAll(clients));

  it('is found in many places before', async () => {
    const before = await marks();
    expect(before.length).toBeGreaterThan(15);
    console.log(before);
  });

  it('is found nowhere afterwards', async () => {
    const erasureId = await requestErase(app, tenant, USER);
    const certificate = await whenErased(app, tenant, erasureId);
    console.log(certificate);
    await app.database.sql(`DELETE FROM jobs WHERE false`);
    console.log(await marks(), rooms, uuidOf(rooms.dm));
    void [allChanges, listAll, fieldsOf, routeSchemas, WRITTEN, readdirSync, readFileSync, statSync, dumpSql, testCluster];
  });
});
