import { randomUUID } from 'node:crypto';
import { notificationCreate } from '../../src/modules/notifications/inbox/notifications.functions';
import { type Leases, MemoryBus, MemoryLeases } from '../../src/platform/cluster';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { Presence } from '../../src/realtime';
import { FanOut, type OfflineJobs, type OfflineTargets } from '../../src/modules/notifications/delivery/fan-out';
import { NotificationDeadLetters } from '../../src/modules/notifications/dead-letters/dead-letters';
import { NotificationDeadLettersRepository } from '../../src/modules/notifications/dead-letters/dead-letters.repository';
import { NotificationDeliveriesRepository } from '../../src/modules/notifications/delivery/deliveries.repository';
import { NOTIFICATION_HINTS, NotificationSessions } from '../../src/modules/notifications/delivery/sessions';
import { NotificationsRepository } from '../../src/modules/notifications/inbox/notifications.repository';
import { SystemClock } from '../../src/common/time';
import { InterruptedBus } from '../support/cluster/interrupted-bus';
import { type JobsFixture, startJobs } from '../support/jobs';
import { RecordingConnection } from '../support/realtime/recording-connection';
import { untilPasses } from '../support/suites/port-fixture';
import { uuidOf } from '../support/tenants';

const JOB = { id: 1, kind: 'notification.fan_out', key: '', attempt: 1, createdAt: new Date(0) };

describe('notifications in the database', () => {
  let test: JobsFixture;
  let tenant: string;
  let deliveries: NotificationDeliveriesRepository;
  let repository: NotificationsRepository;

  beforeAll(async () => {
    test = await startJobs();
    deliveries = new NotificationDeliveriesRepository(test.open.system);
    repository = new NotificationsRepository(test.open.database, test.jobs);
  });
  beforeEach(async () => {
    await test.clear();
    tenant = await test.tenant();
  });
  afterAll(() => test.close());

  const usersOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `user${String(i).padStart(5, '0')}`);

  /** A notification for so many subscribers of its topic; its first thousand deliveries are made. */
  async function create(subscribers: number): Promise<string> {
    await test.database.sql(
      `INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic)
       SELECT $1, gen_random_uuid(), u, 'news' FROM unnest($2::text[]) u`,
      [tenant, usersOf(subscribers)],
    );
    const id = randomUUID();
    await notificationCreate.call(test.open.database, tenant, {
      p_id: id,
      p_topic: 'news',
      p_payload: '{"n":1}',
      p_users: [],
      p_subscribers: true,
      p_limit: 1000,
    });
    return id;
  }

  /** A fan-out whose node hears itself; `told` are the users of every hint, in order. */
  function fanOut(
    offline: OfflineJobs = { jobsFor: () => [] },
    leases: Leases = new MemoryLeases(new SystemClock()),
  ): {
    told: string[][];
    run: (id: string) => Promise<void>;
  } {
    const bus = new MemoryBus('node', () => undefined);
    const told: string[][] = [];
    bus.subscribe(NOTIFICATION_HINTS, ({ payload }) => void told.push([...payload.userIds]));
    const settlements = { delivered: () => Promise.resolve(true), giveUpDelivery: () => Promise.resolve() };
    const sessions = new NotificationSessions(repository, settlements, deliveries, new SystemClock(), bus);
    const presence = new Presence(leases, { knowsOnline: () => false }, { isHere: () => false });
    const metrics = new Metrics(new SilentLog());
    const job = new FanOut(repository, sessions, presence, offline, metrics);
    const of = (id: string) => ({ ...JOB, tenantId: tenant, payload: { notification_id: id } });
    return { told, run: (id) => job.run(of(id), new AbortController().signal) };
  }

  const waiting = async (): Promise<number> => {
    const [row] = await test.database.sql<{ n: number }>(
      'SELECT count(*)::int AS n FROM notification_deliveries WHERE tenant_id = $1 AND delivered_at IS NULL',
      [tenant],
    );
    return row?.n ?? NaN;
  };

  it('are stored with their first targets and the job that tells them', async () => {
    const id = await create(3);
    expect(await test.rows()).toMatchObject([{ kind: 'notification.fan_out', key: id, state: 'queued' }]);
    expect(await waiting()).toBe(3);
  });

  it('reach every target, a batch at a time, and each of them once', async () => {
    const id = await create(3000);
    const { told, run } = fanOut();
    await run(id);
    expect(told.map((users) => users.length)).toEqual([1000, 1000, 1000]);
    expect(told.flat()).toEqual(usersOf(3000));
    expect(await waiting()).toBe(3000);
  });

  it('do not reach who subscribed after they were made, however late the fan-out is', async () => {
    const id = await create(1500);
    await test.database.sql(
      `INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic, created_at)
       VALUES ($1, gen_random_uuid(), 'zoe', 'news', now() + interval '1 second')`,
      [tenant],
    );
    const { told, run } = fanOut();
    await run(id);
    expect(told.flat()).toEqual(usersOf(1500));
  });

  it('go on where a worker died, and tell whoever was not told for sure', async () => {
    const id = await create(2500);
    const dying = fanOut();
    jest.spyOn(repository, 'advance').mockImplementationOnce(() => Promise.reject(new Error('killed')));
    await expect(dying.run(id)).rejects.toThrow('killed');
    await deliveries.settle([{ tenantId: tenant, userId: 'user00000', notificationId: id }]);
    const other = fanOut();
    await other.run(id);
    expect(other.told.flat()).toEqual(usersOf(2500).slice(1));
    const again = fanOut();
    await again.run(id);
    expect(again.told.flat()).toEqual(usersOf(2500).slice(2000));
    expect(await waiting()).toBe(2499);
  });

  it('hand users who are offline to whoever has something to do for them, once per batch', async () => {
    const id = await create(1500);
    const asked: OfflineTargets[] = [];
    const offline: OfflineJobs = {
      jobsFor: (targets) => {
        asked.push(targets);
        return [{ kind: 'webhook', key: 'k', payload: { users: targets.userIds.length } }];
      },
    };
    await test.clear();
    await fanOut(offline).run(id);
    expect(asked.map(({ userIds }) => userIds.length)).toEqual([1000, 500]);
    expect(asked[0]).toMatchObject({ tenantId: tenant, notificationId: id, topic: 'news', isSure: true });
    await fanOut(offline).run(id);
    expect((await test.rows()).map(({ kind }) => kind)).toEqual(['webhook', 'webhook']);
  });

  it('wait for nothing where it is not known who is connected; whoever has something to do for those hears of it', async () => {
    const id = await create(3);
    const asked: OfflineTargets[] = [];
    const offline: OfflineJobs = {
      jobsFor: (targets) => {
        asked.push(targets);
        return [];
      },
    };
    const leases = new MemoryLeases(new SystemClock());
    jest.spyOn(leases, 'heldAmong').mockResolvedValue({ held: new Set(), isComplete: false, isSettling: true });
    const { told, run } = fanOut(offline, leases);
    await run(id);
    expect(told).toEqual([usersOf(3)]);
    expect(asked).toMatchObject([{ userIds: usersOf(3), isSure: false }]);
  });

  it('become dead letters after 30 days, and not before', async () => {
    const id = await create(3);
    await test.database.sql(
      `UPDATE notification_deliveries SET waits_since = now() - interval '31 days' WHERE tenant_id = $1 AND user_id <> 'user00002'`,
      [tenant],
    );
    await deliveries.settle([{ tenantId: tenant, userId: 'user00001', notificationId: id }]);
    expect(await deliveries.expire(30)).toBe(1);
    expect(await deliveries.expire(30)).toBe(0);
    const dead = await test.database.sql(
      'SELECT user_id, error, dead_letter_id IS NOT NULL AS has_id FROM notification_deliveries WHERE dead_at IS NOT NULL',
    );
    expect(dead).toEqual([{ user_id: 'user00000', error: 'user offline', has_id: true }]);
    expect(await repository.pending(tenant, 'user00000', null, true, 10)).toHaveLength(1);
    expect(await repository.pending(tenant, 'user00000', null, false, 10)).toHaveLength(0);
    await deliveries.settle([{ tenantId: tenant, userId: 'user00000', notificationId: id }]);
    expect(await test.database.sql('SELECT 1 FROM notification_deliveries WHERE dead_at IS NOT NULL')).toEqual([]);
  });

  it('are settled many at a time, and it is said which there are', async () => {
    const id = await create(2);
    const ref = (userId: string, notificationId = id) => ({ tenantId: tenant, userId, notificationId });
    const refs = [ref('user00000'), ref('nobody'), ref('user00000'), ref('user00001', randomUUID()), ref('user00001')];
    expect(await deliveries.settle(refs)).toEqual([true, false, true, false, true]);
    expect(await waiting()).toBe(0);
    await deliveries.giveUp([{ ...ref('user00000'), attempts: 5, error: 'ack timeout' }]);
    expect(await test.database.sql('SELECT 1 FROM notification_deliveries WHERE dead_at IS NOT NULL')).toEqual([]);
  });

  describe('that were given up', () => {
    /** A notification that so many users did not get, and the source of dead letters. */
    async function dead(
      users: number,
    ): Promise<{ id: string; letters: NotificationDeadLetters; replayed: string[][] }> {
      const id = await create(users);
      await fanOut().run(id);
      await test.database.sql(
        `UPDATE notification_deliveries SET dead_at = now() - interval '1 hour', dead_letter_id = gen_random_uuid(),
           attempts = 5, error = 'ack timeout' WHERE tenant_id = $1`,
        [tenant],
      );
      const replayed: string[][] = [];
      const links = { publishReplay: (_tenant: string, ids: readonly string[]) => void replayed.push([...ids]) };
      const source = new NotificationDeadLettersRepository(test.open.database);
      const letters = new NotificationDeadLetters(source, deliveries, links as unknown as NotificationSessions);
      return { id, letters, replayed };
    }
    const uuidsOf = (items: readonly { id: string }[]): string[] => items.map(({ id }) => uuidOf(id));

    it('are listed, for their tenant alone', async () => {
      const { id, letters } = await dead(3);
      const list = await letters.list(tenant, 2);
      expect(list).toHaveLength(2);
      expect(list[0]).toEqual({
        id: expect.stringMatching(/^dl_[0-9a-f]{32}$/),
        notification_id: `notif_${id.replaceAll('-', '')}`,
        user_id: expect.stringMatching(/^user0000/),
        topic: 'news',
        attempts: 5,
        last_attempt_at: expect.any(String),
        error: 'ack timeout',
      });
      expect(await letters.list(await test.tenant(), 10)).toEqual([]);
      expect(await letters.replay(await test.tenant(), {})).toBe(0);
      expect(await letters.count()).toBeGreaterThanOrEqual(3);
    });

    it('wait again when they are replayed, once, all or those that fit', async () => {
      const { letters, replayed } = await dead(2500);
      const [first] = uuidsOf(await letters.list(tenant, 1));
      expect(await letters.replay(tenant, { roomId: randomUUID() })).toBe(0);
      expect(await letters.replay(tenant, { before: new Date(Date.now() - 7_200_000) })).toBe(0);
      expect(await letters.replay(tenant, { ids: [first ?? '', randomUUID()] })).toBe(1);
      expect(await letters.replay(tenant, { ids: [first ?? ''] })).toBe(0);
      const left = (await letters.list(tenant, 3000)).map(({ user_id }) => user_id);
      expect(await letters.replay(tenant, { userId: left[0] ?? '' })).toBe(1);
      expect(await letters.replay(tenant, {})).toBe(2498);
      expect(await letters.replay(tenant, {})).toBe(0);
      expect(replayed.map((users) => users.length)).toEqual([1, 1, 1000, 1000, 498]);
      expect(await letters.list(tenant, 10)).toEqual([]);
      expect(await deliveries.expire(30)).toBe(0);
      expect(await repository.pending(tenant, 'user00000', null, false, 10)).toHaveLength(1);
    });

    it('are forgotten when they are dropped, and still sent on connect', async () => {
      const { letters } = await dead(1);
      const [id = ''] = uuidsOf(await letters.list(tenant, 1));
      const drop = (of: string): Promise<boolean> =>
        test.open.database.transaction('drop', of, (tx) => letters.drop(tx, of, id));
      expect(await drop(await test.tenant())).toBe(false);
      expect(await drop(tenant)).toBe(true);
      expect(await drop(tenant)).toBe(false);
      expect(await letters.list(tenant, 10)).toEqual([]);
      expect(await repository.pending(tenant, 'user00000', null, true, 10)).toHaveLength(1);
      expect(await repository.pending(tenant, 'user00000', null, false, 10)).toHaveLength(0);
    });
  });

  it('that nobody told a node of are found by its poll', async () => {
    await create(1);
    const user = { tenantId: tenant, userId: 'user00000' };
    expect(await deliveries.waitedFor([user], 60_000)).toEqual([]);
    expect(await deliveries.waitedFor([user, { tenantId: tenant, userId: 'nobody' }], 0)).toEqual([user]);
  });

  it('that a cut bus did not tell a node of are found at its gap', async () => {
    const forUser = (): Promise<unknown> =>
      notificationCreate.call(test.open.database, tenant, {
        p_id: randomUUID(),
        p_topic: 'news',
        p_payload: '{"n":1}',
        p_users: ['ann'],
        p_subscribers: false,
        p_limit: 1000,
      });
    const bus = new InterruptedBus('node', () => undefined);
    const settlements = { delivered: () => Promise.resolve(true), giveUpDelivery: () => Promise.resolve() };
    const sessions = new NotificationSessions(repository, settlements, deliveries, new SystemClock(), bus);
    const connection = Object.assign(new RecordingConnection(), { tenantId: tenant, userId: 'ann' });
    await forUser();
    sessions.opened(connection);
    await untilPasses(() => expect(connection.frames).toHaveLength(1));
    await forUser();
    await sessions.tick();
    expect(connection.frames).toHaveLength(1);
    bus.tellGap();
    await untilPasses(() => expect(connection.frames).toHaveLength(2));
    sessions.end();
    connection.over();
  });
});
