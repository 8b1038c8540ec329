import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { divergences, type ListedRoom } from '../support/convergence/room-view';
import { SyncingClient } from '../support/convergence/syncing-client';
import { requestErase, whenErased } from '../support/erase';
import { listAll, pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, createRoom, type MemberBody, sendAll } from '../support/rooms';

const ROOMS = 3;
const MEMBERS = ['ann', 'bob', 'cat'];

let app: TestApp;
const devices: SyncingClient[] = [];

beforeAll(async () => {
  app = await startTestApp({ env: { WS_ACK_TIMEOUT_MS: '600000' } });
});
afterEach(() => Promise.all(devices.map((device) => device.stop())));
afterAll(() => app.close());

async function truthOf(tenant: TestTenant, roomId: string): Promise<ListedRoom> {
  const messages = (await listAll(tenant.as('ann'), roomId)).map(({ message_id, rev, content, deleted_at }) => ({
    ...{ id: message_id, rev, content, isDeleted: deleted_at !== null },
  }));
  const members = bodyOf(await tenant.as('ann').get<MemberBody[]>(`/rooms/${roomId}/members`));
  return { messages, roles: new Map(members.map(({ user_id, role }) => [user_id, role])), reads: new Map() };
}

/** Resolves when every one of these has what the log has, and nothing else. */
async function converged(
  tenant: TestTenant,
  some: readonly SyncingClient[],
  roomIds: readonly string[],
): Promise<void> {
  const faults = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const roomId of roomIds) {
      const truth = await truthOf(tenant, roomId);
      for (const device of some) {
        const wrong = divergences(device.view(roomId), truth, device.userId);
        found.push(...wrong.map((fault) => `${device.name} ${roomId}: ${fault}`));
      }
    }
    return [...found, ...some.filter(({ isIdle }) => !isIdle).map(({ name }) => `${name} is busy`)];
  };
  await until(faults, (wrong) => wrong.length === 0);
}

it('everybody else sees the rooms as they are, whenever they were there', async () => {
  const tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
  const founders = new Map([['zoe', 'admin'], ...MEMBERS.map((user) => [user, 'member'] as const)]);
  const rooms = new Map<string, ReadonlyMap<string, string>>();
  for (let n = 0; n < ROOMS; n++)
    rooms.set((await createRoom(tenant.as('zoe'), 'group', MEMBERS, { name: 'of zoe' })).room_id, founders);
  const roomIds = [...rooms.keys()];
  const world = { url: app.url, tenant, rooms };
  const device = (name: string, userId: string, manual: boolean): SyncingClient => {
    const made = new SyncingClient(world, name, userId, manual).start();
    devices.push(made);
    return made;
  };
  const live = [device('live', 'ann', true), device('acking', 'bob', false)];
  for (const roomId of roomIds) {
    const [first] = await sendAll(tenant.as('zoe'), roomId, ['1', '2', '3']);
    bodyOf(await tenant.as('zoe').delete(pathOf(roomId, first as { message_id: string })), 204);
    await send(tenant.as('cat'), roomId, { content: 'of cat' });
  }
  const away = device('away', 'cat', true);
  await converged(tenant, [...live, away], roomIds);
  // What it has of the rooms stays: it comes back to them with its positions of before.
  const comeBack = away.leave();

  const id = await requestErase(app, tenant, 'zoe');
  const others = roomIds.map(async (roomId) => {
    for (let i = 0; i < 5; i++) await send(tenant.as('bob'), roomId, { content: `meanwhile ${i}` });
  });
  expect(await whenErased(app, tenant, id)).toMatchObject({ state: 'done' });
  await Promise.all(others);
  await converged(tenant, live, roomIds);
  comeBack();
  await converged(tenant, [...live, away, device('new', 'cat', true)], roomIds);
  expect(devices.flatMap(({ faults }) => faults)).toEqual([]);
  for (const roomId of roomIds) {
    const { roles, messages } = await truthOf(tenant, roomId);
    expect([...roles]).toEqual([
      ['ann', 'admin'],
      ['bob', 'member'],
      ['cat', 'member'],
    ]);
    expect(messages.filter(({ isDeleted }) => isDeleted)).toHaveLength(3);
  }
});
