import jwt from 'jsonwebtoken';
import { type RestoreHandling, SyncingClient } from '../support/convergence/syncing-client';
import { converged } from '../support/convergence/converge';
import { startTestApp, type TestTenant } from '../support/app';
import { JWT_SECRET } from '../support/auth';
import { pathOf, send } from '../support/messages';
import { MAX_WAIT_MS } from '../support/timing';
import {
  ClonedDatabaseServer,
  CopiedDirectoryServer,
  type RestorableServer,
  RestoredFileServer,
} from '../support/restorable-servers';
import { bodyOf, createRoom, sendAll } from '../support/rooms';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

const HOST = 'ann';
const OTHERS = ['bob', 'cat', 'dan'];
const TEST_MS = 10 * MAX_WAIT_MS;

/** What rooms the log has after a restore, against what clients had of them before. */
const SHAPES = [
  ['as many messages, others', 2],
  ['more messages', 4],
  ['fewer messages', 1],
  ['none', 0],
] as const;

describe('S1: clients that were connected before a restore', () => {
  let site: RestorableServer;
  let devices: SyncingClient[] = [];

  afterEach(async () => {
    await Promise.all(devices.map((device) => device.stop()));
    await site.close();
  });

  const settled = (tenant: TestTenant, roomIds: readonly string[]): Promise<void> =>
    converged(devices, tenant, HOST, roomIds);

  async function restart(meanwhile: () => Promise<void>): Promise<void> {
    await site.stop();
    await meanwhile();
    await site.start();
  }

  const sites: [string, () => Promise<RestorableServer>, RestoreHandling][] = [
    ['a copied directory put back, by the epoch alone', () => CopiedDirectoryServer.open(), epochAlone()],
    ['what is in a directory put back, by the epoch alone', () => CopiedDirectoryServer.open('filled'), epochAlone()],
    [
      'a database put back with its epoch, by their positions alone',
      () => ClonedDatabaseServer.open(),
      positionsAlone(),
    ],
    [
      'a copied directory put back, by both',
      () => CopiedDirectoryServer.open(),
      { heedsEpoch: true, namesMessages: true },
    ],
    ['npm run restore, by the epoch alone', () => RestoredFileServer.open(), epochAlone()],
    ['npm run restore, by both', () => RestoredFileServer.open(), { heedsEpoch: true, namesMessages: true }],
  ];

  it.each(sites)(
    'have the log and nothing else after %s',
    async (_, open, care) => {
      site = await open();
      await site.start();
      const tenant = await site.tenant();
      const rooms = new Map<string, ReadonlyMap<string, string>>();
      const founders = new Map([[HOST, 'admin'], ...OTHERS.map((user) => [user, 'member'] as const)]);
      for (let n = 0; n < SHAPES.length; n++)
        rooms.set((await createRoom(tenant.as(HOST), 'group', OTHERS)).room_id, founders);
      const roomIds = [...rooms.keys()];
      const world = { url: site.url, tenant, rooms };
      devices = OTHERS.map((user, n) => new SyncingClient(world, user, user, n < 2, care).start());
      for (const roomId of roomIds) await sendAll(tenant.as(HOST), roomId, ['1', '2']);
      await settled(tenant, roomIds);
      for (const device of devices) for (const roomId of roomIds) device.mark('ack', roomId);
      await restart(() => site.backUp());
      for (const roomId of roomIds) {
        const [third] = await sendAll(tenant.as(HOST), roomId, ['3', '4']);
        bodyOf(await tenant.as(HOST).patch(pathOf(roomId, third as { message_id: string }), { content: 'edited' }));
      }
      await settled(tenant, roomIds);

      await restart(() => site.putBack());
      for (const [n, [, count]] of SHAPES.entries())
        for (let i = 0; i < count; i++) await send(tenant.as(HOST), roomIds[n] ?? '', { content: `other ${i}` });
      await settled(tenant, roomIds);
      for (const roomId of roomIds) await send(tenant.as(HOST), roomId, { content: 'and live' });
      await settled(tenant, roomIds);
      for (const device of devices) expect(device.forgotten).toBeGreaterThan(0);
    },
    TEST_MS,
  );

  function epochAlone(): RestoreHandling {
    return { heedsEpoch: true, namesMessages: false };
  }

  function positionsAlone(): RestoreHandling {
    return { heedsEpoch: false, namesMessages: true };
  }
});

describe('S1: the same copy put back', () => {
  let site: CopiedDirectoryServer;

  beforeEach(async () => {
    site = await CopiedDirectoryServer.open();
  });
  afterEach(() => site.close());

  const NOTICED =
    'this data directory is a copy, or was restored from one: the epoch was raised, clients read their rooms anew';

  it(
    'is another epoch each time, and told once; a mere restart is none; nor is a ticket of before good',
    async () => {
      await site.start();
      const tenant = await site.tenant();
      const { room_id } = await createRoom(tenant.as(HOST), 'group', OTHERS);
      const hello = async (): Promise<number> => {
        const client = await WsClient.connect(site.url, { headers: keyOf(tenant, HOST) });
        const { epoch } = await client.frame('hello');
        await client.close();
        return Number(epoch);
      };
      const epochs = [await hello()];
      const again = async (meanwhile: () => Promise<void>): Promise<void> => {
        await site.stop();
        await meanwhile();
        await site.start();
        epochs.push(await hello());
      };
      await again(() => site.backUp());
      expect(epochs[1]).toBe(epochs[0]);
      await sendAll(tenant.as(HOST), room_id, ['1', '2']);
      const { token } = bodyOf(await tenant.as('bob').post<{ token: string }>('/ws/token'));
      expect(site.running.log.map(({ msg }) => msg)).not.toContain(NOTICED);

      await again(() => site.putBack());
      expect(site.running.log.filter(({ msg }) => msg === NOTICED)).toMatchObject([{ from: epochs[0], to: epochs[2] }]);
      expect((await WsClient.refused(site.url, { query: { token } })).status).toBe(401);
      const client = await WsClient.connect(site.url, { headers: keyOf(tenant, 'bob'), query: { sync: 'manual' } });
      client.send({ type: 'sync', request_id: 's', room_id, after_seq: 2 });
      expect(await client.frame('sync.reset')).toMatchObject({ room_id, last_seq: 0, epoch: epochs[2] });
      await client.close();
      await again(() => Promise.resolve());
      await again(() => site.putBack());
      expect(epochs[3]).toBe(epochs[2]);
      expect(new Set(epochs).size).toBe(3);
      expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    },
    TEST_MS,
  );
});

describe('S1: a socket ticket', () => {
  it('is good in the epoch in which it was made, and in no other', async () => {
    const app = await startTestApp({ env: { JWT_SECRET } });
    try {
      const tenant = await app.tenant();
      const { token } = bodyOf(await tenant.as(HOST).post<{ token: string }>('/ws/token'));
      const claims = jwt.verify(token.slice('wst_'.length), JWT_SECRET) as { readonly epoch: number };
      const ticketOf = (epoch: number | undefined): string =>
        `wst_${jwt.sign(JSON.parse(JSON.stringify({ ...claims, epoch })) as object, JWT_SECRET)}`;
      for (const other of [claims.epoch + 1, claims.epoch - 1, undefined]) {
        const { status, body } = await WsClient.refused(app.url, { query: { token: ticketOf(other) } });
        expect([status, body.error['message']]).toEqual([401, expect.stringContaining('older than a restored backup')]);
      }
      await (await WsClient.connect(app.url, { query: { token } })).close();
    } finally {
      await app.close();
    }
  });
});

describe('S1: npm run epoch', () => {
  let site: CopiedDirectoryServer;

  beforeEach(async () => {
    site = await CopiedDirectoryServer.open();
  });
  afterEach(() => site.close());

  async function epoch(...args: string[]): Promise<{ code: unknown; said: string }> {
    const tool = site.servers.launch({ env: site.env, command: ['epoch.ts', ...args] });
    const code = await tool.exit();
    return { code, said: tool.output };
  }

  it(
    'shows and raises it on the stopped server’s directory, and is refused while it runs',
    async () => {
      await site.start();
      for (const args of [[], ['bump']]) {
        const { code, said } = await epoch(...args);
        expect([code, said]).toEqual([1, expect.stringMatching(/^another ChatAPI server .*is already running on/)]);
      }
      await site.stop();
      expect(await epoch()).toEqual({ code: 0, said: 'epoch 1' });
      const bumped = await epoch('bump');
      const [, after] = /^epoch (\d+) \(before: 1\): clients read their rooms anew$/.exec(bumped.said) ?? [];
      expect(Number(after)).toBeGreaterThan(1);
      expect(await epoch()).toEqual({ code: 0, said: `epoch ${after}` });
      expect(await epoch('dump')).toMatchObject({ code: 1, said: expect.stringContaining('npm run epoch -- bump') });
    },
    TEST_MS,
  );
});
