import { converged } from '../support/convergence/converge';
import { SyncingClient } from '../support/convergence/syncing-client';
import type { TestTenant } from '../support/app';
import { eventually } from '../support/embedded/processes';
import { FailoverSite } from '../support/failover-site';
import { errorOf } from '../support/http/api';
import { MessageWriters } from '../support/message-writers';
import { post } from '../support/messages';
import { describePostgres15 as describe, type Postgres15 } from '../support/postgres15';
import { bodyOf, createRoom, sendAll } from '../support/rooms';
import { MAX_WAIT_MS } from '../support/timing';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

const HOST = 'ann';
const OTHERS = ['bob', 'cat', 'dan'];
const TEST_MS = 10 * MAX_WAIT_MS;
const RAISED = /the epoch was raised/;

async function ticketOf(tenant: TestTenant): Promise<string> {
  return bodyOf(await tenant.as(HOST).post<{ token: string }>('/ws/token')).token;
}

async function refusalOf(url: string, token: string): Promise<unknown[]> {
  const { status, body } = await WsClient.refused(url, { query: { token } });
  return [status, body.error['message']];
}

describe('a PostgreSQL with a synchronous standby', () => {
  let site: FailoverSite;
  let primary: Postgres15;
  let standby: Postgres15;

  beforeAll(async () => {
    site = await FailoverSite.open();
    primary = site.first;
    standby = await site.standbyOf(primary);
  }, TEST_MS);
  afterEach(() => MessageWriters.abandonAll());
  afterAll(() => site.close());

  it(
    'is there where DATABASE_REQUIRE_SYNC_STANDBY says so: without it no start and no message',
    async () => {
      const required = { DATABASE_REQUIRE_SYNC_STANDBY: 'true' };
      const refused = /acknowledges commits that no standby has.*synchronous_standby_names = 'ANY 1/s;
      await expect(site.start(required)).rejects.toThrow(refused);
      await primary.set('synchronous_standby_names', '*');
      await primary.set('synchronous_commit', 'remote_write');
      await expect(site.start(required)).rejects.toThrow(refused);
      await primary.set('synchronous_commit', 'on');
      await site.start(required);
      const tenant = await site.tenant();
      const { room_id } = await createRoom(tenant.as(HOST), 'group', OTHERS);
      expect(await site.sends(tenant.as(HOST), room_id, 'one')).toBe(1);
      await primary.set('synchronous_standby_names', '');
      const refusal = await eventually('messages are refused', async () => {
        const answer = await post(tenant.as(HOST), room_id, { content: 'more' });
        return answer.status === 201 ? undefined : answer;
      });
      expect([refusal.status, errorOf(refusal).message]).toEqual([503, expect.stringContaining('synchronous standby')]);
      expect(errorOf(refusal).details).toMatchObject({ outcome: 'none' });
      expect((await tenant.as(HOST).get(`/rooms/${room_id}`)).status).toBe(200);
      await primary.set('synchronous_standby_names', '*');
      expect(await site.sends(tenant.as(HOST), room_id, 'again')).toBeGreaterThan(1);
      expect(site.logged(/DATABASE_REQUIRE_SYNC_STANDBY/)).toHaveLength(1);
      await site.stop();
    },
    TEST_MS,
  );

  /** Failovers of one server that goes on, under load: what was acknowledged is there, and clients notice nothing. */
  async function failsOver(n: number, over: () => Promise<void>): Promise<void> {
    const tenant = await site.tenant();
    const rooms = [
      await createRoom(tenant.as(HOST), 'group', OTHERS),
      await createRoom(tenant.as(HOST), 'group', OTHERS),
    ];
    const before = await site.epoch(tenant, HOST);
    const used = await ticketOf(tenant);
    await (await WsClient.connect(site.url, { query: { token: used } })).close();
    const client = await WsClient.connect(site.url, { headers: keyOf(tenant, HOST) });
    const target = { as: tenant.as, roomIds: rooms.map(({ room_id }) => room_id), userIds: OTHERS };
    const writers = new MessageWriters(target).start();
    await writers.progress(20);
    await over();
    await writers.progress(20);
    await writers.finish();
    expect(await writers.faults()).toEqual([]);
    expect(await site.epoch(tenant, HOST)).toBe(before);
    expect(client.isOpen).toBe(true);
    expect([await site.failovers('complete'), await site.failovers('lost')]).toEqual([n, 0]);
    expect(await refusalOf(site.url, used)).toEqual([401, expect.stringContaining('older than a failover')]);
    expect(site.logged(RAISED)).toEqual([]);
    await client.close();
  }

  it(
    'loses nothing under load: neither where the primary stays and takes no writes any more, nor where it dies',
    async () => {
      await primary.set('synchronous_standby_names', '*');
      await site.start();
      // Its sessions stay open: nothing but a refused write says that the address leads elsewhere by now.
      await failsOver(1, async () => {
        await primary.set('default_transaction_read_only', 'on');
        await standby.promote();
        site.switchTo(standby);
      });
      const third = await site.standbyOf(standby);
      await standby.set('synchronous_standby_names', '*');
      await failsOver(2, async () => {
        await standby.end('SIGKILL');
        site.switchTo(third);
        // It answers, and is no primary yet: nothing is read there either.
        await eventually('readiness says so', async () => (await site.readiness()) === 503);
        await third.promote();
        await eventually('readiness', async () => (await site.readiness()) === 200);
      });
    },
    TEST_MS,
  );
});

describe('a PostgreSQL with an asynchronous standby that lacks what was acknowledged', () => {
  let site: FailoverSite;
  let tenant: TestTenant;
  let roomId: string;
  let devices: SyncingClient[] = [];

  beforeAll(async () => (site = await FailoverSite.open()), TEST_MS);
  afterAll(async () => {
    await Promise.all(devices.map((device) => device.stop()));
    await site.close();
  });

  /** Everybody has what the log has; each device has begun anew so often. */
  async function settled(forgotten: number): Promise<void> {
    await converged(devices, tenant, HOST, [roomId]);
    for (const device of devices) expect(device.forgotten).toBeGreaterThanOrEqual(forgotten);
  }

  /** The server moves there; what its clients are told. @returns the epoch in force then */
  async function failsOver(from: Postgres15, to: Postgres15): Promise<number> {
    const told = await WsClient.connect(site.url, { headers: keyOf(tenant, HOST) });
    const { epoch } = await told.frame('hello');
    const ticket = await ticketOf(tenant);
    await from.end('SIGKILL');
    site.switchTo(to);
    await to.promote();
    expect(await told.ended()).toEqual({ code: 1012, reason: 'The database has failed over; reconnect' });
    expect(told.got('server.shutdown')).toHaveLength(1);
    const next = await site.epoch(tenant, HOST);
    expect(next).toBeGreaterThan(Number(epoch));
    expect(await refusalOf(site.url, ticket)).toEqual([401, expect.stringContaining('older than a restored backup')]);
    return next;
  }

  it(
    'begins another epoch: clients are sent away and come back to the log as it is; also where that epoch is lost in turn',
    async () => {
      await site.start();
      tenant = await site.tenant();
      roomId = (await createRoom(tenant.as(HOST), 'group', OTHERS)).room_id;
      const founders = new Map([[HOST, 'admin'], ...OTHERS.map((user) => [user, 'member'] as const)]);
      const world = { url: site.url, tenant, rooms: new Map([[roomId, founders]]) };
      const handling = { heedsEpoch: true, namesMessages: false };
      devices = OTHERS.map((user, n) => new SyncingClient(world, user, user, n < 2, handling).start());
      await sendAll(tenant.as(HOST), roomId, ['1', '2']);
      await settled(0);
      const second = await site.standbyOf(site.first);
      const third = await site.standbyOf(site.first);
      for (const standby of [second, third]) {
        await standby.reaches(site.first);
        await standby.detach();
      }
      await sendAll(tenant.as(HOST), roomId, ['3', '4']);
      await settled(0);

      const raised = await failsOver(site.first, second);
      expect(await site.sends(tenant.as(HOST), roomId, 'another 3')).toBe(3);
      await settled(1);
      expect([await site.failovers('complete'), await site.failovers('lost')]).toEqual([0, 1]);
      expect(site.logged(RAISED)).toEqual([
        expect.stringContaining('lacks messages or changes that were acknowledged'),
      ]);

      // It knows neither of the promotion before, whose timeline it begins again, nor of the epoch.
      const again = await failsOver(second, third);
      expect(again).toBeGreaterThan(raised);
      expect(await site.sends(tenant.as(HOST), roomId, 'a third 3')).toBe(3);
      await settled(2);
      expect(site.logged(RAISED)).toHaveLength(2);
    },
    TEST_MS,
  );
});
