import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { FreezableProxy } from '../support/freezable-proxy';
import { until } from '../support/poll';
import { createRoom } from '../support/rooms';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

let database: TestDatabase;
let door: FreezableProxy;
let app: TestApp;
let tenant: TestTenant;
let roomId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  door = await FreezableProxy.inFrontOf(database.connection);
  const { host, port, user, database: name } = door.connection;
  const url = `postgresql://${user ?? ''}@${host ?? ''}:${port ?? 0}/${name ?? ''}`;
  app = await startTestApp({ env: { DATABASE_URL: url, DATABASE_DEADLINE_MS: '4000' } });
  tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
  roomId = (await createRoom(tenant.as('alice'), 'group', ['bob'])).room_id;
});
afterAll(async () => {
  door.thaw();
  await app.close();
  await door.close();
  await database.drop();
});

it('sends are refused with SERVICE_UNAVAILABLE, the sockets stay, and what is sent again is stored once', async () => {
  const connect = (userId: string) => WsClient.connect(app.url, { headers: keyOf(tenant, userId) });
  const [alice, bob] = await Promise.all([connect('alice'), connect('bob')]);
  await Promise.all([alice, bob].map((client) => client.ask({ type: 'ping' })));
  const send = (n: number) =>
    alice.ask({ type: 'send_message', room_id: roomId, content: `${n}`, client_message_id: `m${n}` });
  await send(1);

  door.freeze();
  const refusal = {
    type: 'error',
    code: 'SERVICE_UNAVAILABLE',
    retryable: true,
    retry_after_ms: expect.any(Number),
    message: expect.any(String),
    request_id: expect.any(String),
  };
  // Nobody knows what became of the first; from then on they are refused at once.
  expect(await send(2)).toEqual(refusal);
  expect(await send(3)).toEqual(refusal);
  expect(await alice.ask({ type: 'ack', room_id: roomId, seq: 1 })).toEqual(refusal);
  expect(await bob.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });

  door.thaw();
  await until(
    () => send(2),
    ({ type }) => type === 'message.accepted',
  );
  await send(3);
  const messages = await bob.many('message', 3);
  expect(messages.map(({ seq, content }) => [seq, content])).toEqual([1, 2, 3].map((n) => [n, `${n}`]));
  for (const client of [alice, bob]) expect(client.isOpen).toBe(true);
  await Promise.all([alice.close(), bob.close()]);
});
