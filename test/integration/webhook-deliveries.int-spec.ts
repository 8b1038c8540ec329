import { randomUUID } from 'node:crypto';
import { WebhookDeliveriesRepository } from '../../src/modules/webhooks/deliveries.repository';
import { type JobsFixture, startJobs } from '../support/jobs';

const FAILED = { status: 500, latencyMs: 5, answer: 'oops', error: 'HTTP 500' };
const ALL = { ids: undefined, roomId: undefined, userId: undefined, before: undefined };

describe('deliveries of webhooks in the database', () => {
  let test: JobsFixture;
  let tenant: string;
  let repository: WebhookDeliveriesRepository;

  beforeAll(async () => {
    test = await startJobs();
    repository = new WebhookDeliveriesRepository(test.open.database, test.open.system, test.jobs);
  });
  beforeEach(async () => {
    await test.clear();
    tenant = await test.tenant();
  });
  afterAll(() => test.close());

  async function plan(
    more: { roomId?: string; userIds?: string[] } = {},
    deliveryId: string = randomUUID(),
  ): Promise<string> {
    await repository.plan(tenant, [{ deliveryId, type: 'message.offline', body: '{"n":1}', ...more }]);
    return deliveryId;
  }

  async function dead(more: { roomId?: string; userIds?: string[] } = {}): Promise<string> {
    const id = await plan(more);
    await repository.attempted(tenant, id, 3, FAILED, 'dead');
    return id;
  }

  async function jobsOf(id: string): Promise<number> {
    const rows = await test.database.sql(`SELECT 1 FROM jobs WHERE payload->>'delivery_id' = $1`, [id]);
    return rows.length;
  }

  it('planned twice are there once, with one job', async () => {
    const id = await plan();
    await plan({}, id);
    expect([await jobsOf(id), (await repository.page(tenant, { limit: 10, offset: 0 })).total]).toEqual([1, 1]);
  });

  it('that are over are posted no more, and their end does not change', async () => {
    const id = await plan();
    await repository.attempted(tenant, id, 1, { ...FAILED, error: undefined }, 'delivered');
    expect(await repository.pending(tenant, id)).toBeUndefined();
    await repository.attempted(tenant, id, 2, FAILED, 'dead');
    await repository.bury(tenant, id, 3, 'the worker was lost');
    const { rows } = await repository.page(tenant, { limit: 10, offset: 0 });
    expect(rows).toMatchObject([{ state: 'delivered', attempts: 1 }]);
  });

  it('that are dead are replayed by id, room, user and time, each once, with the same body', async () => {
    const roomId = randomUUID();
    const [inRoom, ofBob, other] = [await dead({ roomId }), await dead({ userIds: ['bob', 'carol'] }), await dead()];
    expect(await repository.revive(tenant, { ...ALL, before: new Date(0) }, 10)).toBe(0);
    expect(await repository.revive(tenant, { ...ALL, roomId }, 10)).toBe(1);
    expect(await repository.revive(tenant, { ...ALL, roomId }, 10)).toBe(0);
    expect(await repository.pending(tenant, inRoom)).toMatchObject({ body: '{"n":1}' });
    expect(await repository.revive(tenant, { ...ALL, userId: 'bob' }, 10)).toBe(1);
    expect(await repository.revive(tenant, { ...ALL, ids: [ofBob, other] }, 10)).toBe(1);
    expect([await jobsOf(inRoom), await jobsOf(ofBob), await jobsOf(other)]).toEqual([2, 2, 2]);
  });

  it('that are dropped are dead no more, and not replayed', async () => {
    const id = await dead();
    const drop = (): Promise<boolean> =>
      test.open.database.transaction('drop', tenant, (tx) => repository.drop(tx, tenant, id));
    expect([await repository.countDead(), await drop()]).toEqual([1, true]);
    expect(await drop()).toBe(false);
    expect([await repository.countDead(), await repository.revive(tenant, ALL, 10)]).toEqual([0, 0]);
  });

  it('that are over and old are purged, what waits is not', async () => {
    const [waiting, old, young] = [await plan(), await dead(), await dead()];
    await test.database.sql(
      `UPDATE webhook_deliveries SET created_at = now() - interval '31 days' WHERE delivery_id = ANY ($1::uuid[])`,
      [[waiting, old]],
    );
    expect([await repository.purge('delivered', 3), await repository.purge('dead', 30)]).toEqual([0, 1]);
    const { rows } = await repository.page(tenant, { limit: 10, offset: 0 });
    expect(rows.map((row) => row.delivery_id).sort()).toEqual([waiting, young].sort());
  });
});
