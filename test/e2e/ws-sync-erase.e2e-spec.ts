import { RoomLog } from '../../src/realtime/feed';
import { createRoom, sendAll } from '../support/rooms';
import { uuidOf } from '../support/tenants';
import { WsClient } from '../support/ws/client';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

const ERASED = 'erased_1';

let app: SocketApp;
beforeAll(async () => {
  app = await startSocketApp();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => app.close());

it('a sync during which the room forgets its changes begins anew: nobody is told of one person under two names', async () => {
  const tenant = await app.tenant();
  const { room_id } = await createRoom(tenant.as('ann'), 'group', ['ben', 'zoe']);
  await sendAll(tenant.as('ann'), room_id, ['1', '2']);
  const ids = [uuidOf(tenant.tenantId), uuidOf(room_id)];
  await app.database.sql(`SELECT room_part($1, $2, 'zoe', '${ERASED}')`, ids);
  const ben = await WsClient.connect(app.url, { headers: keyOf(tenant, 'ben'), query: { sync: 'manual' } });

  // What comes after the server has looked where the room stands, and before it reads what ben has missed.
  const log = app.nest.get(RoomLog, { strict: false });
  const missed = log.missed.bind(log);
  jest.spyOn(log, 'missed').mockImplementationOnce(async (...asked) => {
    await app.database.sql(`SELECT events_erase($1, 'zoe', '${ERASED}', NULL, 100)`, ids.slice(0, 1));
    return missed(...asked);
  });
  ben.send({ type: 'sync', request_id: 'anew', room_id, after_seq: 1, after_rev: 1 });
  await ben.frame('sync.complete');
  const told = ben.frames.filter((frame) => frame['room_id'] === room_id);
  expect(told).toMatchObject([
    { type: 'sync.reset', request_id: 'anew', first_seq: 1, last_seq: 2, last_rev: 3 },
    { type: 'message', content: '1' },
    { type: 'message', content: '2' },
    { type: 'sync.complete', request_id: 'anew', last_seq: 2, last_rev: 3 },
  ]);
  await ben.close();
});
