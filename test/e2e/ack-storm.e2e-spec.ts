import { DeliveryService } from '../../src/modules/delivery';
import { DeliveryRepository, type Move } from '../../src/modules/delivery/delivery.repository';
import type { TestTenant } from '../support/app';
import { until } from '../support/poll';
import { createRoom, listedRoom, sendAll } from '../support/rooms';
import type { WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const ROOMS = 10;
const USERS = Array.from({ length: 50 }, (_, n) => `user-${n}`);

describe('everybody acknowledges everything at once', () => {
  let app: SocketApp;
  let tenant: TestTenant;
  let rooms: string[];
  let clients: WsClient[];

  beforeAll(async () => {
    app = await startSocketApp({ env: { DATABASE_POOL_SIZE: '4' } });
    tenant = await app.tenant();
    const owner = tenant.as('owner');
    rooms = [];
    for (let n = 0; n < ROOMS; n++) {
      const { room_id } = await createRoom(owner, 'group', USERS);
      await sendAll(owner, room_id, ['1', '2', '3']);
      rooms.push(room_id);
    }
    clients = [];
    for (const user of USERS) {
      const client = await app.open(tenant, user);
      await client.frame('hello');
      clients.push(client);
    }
  });
  afterAll(() => app.close());

  it('all of 1,000 are answered, and those that wait go together', async () => {
    const groups = heldGroups(app.nest.get(DeliveryRepository));
    const asked = jest.spyOn(app.nest.get(DeliveryService), 'read');
    const acks = clients.flatMap((client) => rooms.map((room_id) => client.ask({ type: 'ack', room_id, seq: 3 })));
    const reads = USERS.flatMap((user) => rooms.map((room_id) => tenant.as(user).post('/reads', { room_id, seq: 2 })));
    await until(
      () => Promise.resolve(asked.mock.calls.length),
      (count) => count === reads.length,
    );
    groups.release();
    expect(new Set((await Promise.all(acks)).map(({ type }) => type))).toEqual(new Set(['ack.received']));
    expect(new Set((await Promise.all(reads)).map(({ status }) => status))).toEqual(new Set([200]));
    // The one that is under way, and all that came meanwhile, among acks: at most 1,000, 500 at a time.
    expect(groups.made.filter((moves) => moves.some(({ isRead }) => isRead)).length).toBeLessThanOrEqual(3);
    for (const user of [USERS[0] ?? '', USERS.at(-1) ?? ''])
      for (const room_id of rooms)
        expect(await listedRoom(tenant.as(user), room_id)).toMatchObject({ last_acked_seq: 3, last_read_seq: 2 });
  });
});

/** Notes every group, and lets the first one wait until it is released. */
function heldGroups(repository: DeliveryRepository): { made: (readonly Move[])[]; release: () => void } {
  const made: (readonly Move[])[] = [];
  const tryAdvance = repository.tryAdvance.bind(repository);
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  jest.spyOn(repository, 'tryAdvance').mockImplementation(async (tenantId, moves) => {
    made.push(moves);
    if (made.length === 1) await released;
    return tryAdvance(tenantId, moves);
  });
  return { made, release };
}
