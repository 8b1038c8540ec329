import { randomUUID } from 'node:crypto';
import { type Minute, type ServerMinute, StatsRepository } from '../../src/modules/stats/stats.repository';
import { RowsReadFixture } from '../support/rows-read-fixture';

const CAP = 10_000;
/** Entries that a look beyond the end of each index may meet. */
const AROUND = 30;
/** Counts that each end at `CAP`: three of jobs, one of runs, three of dead letters. */
const COUNTS = 7;
const MINUTE: Minute = {
  connections: 2,
  online: 1,
  messages_sent: 10,
  deliveries: 20,
  refused: 3,
  tokens: 4,
  p50_ms: 1,
  p99_ms: 9,
};
const SERVER: Omit<ServerMinute, 'node_id'> = {
  ...MINUTE,
  queue_bytes: 100,
  append_items: 5,
  append_oldest_ms: 6,
  loop_p99_ms: 7,
  rss_bytes: 1e9,
};

let rows: RowsReadFixture;
let stats: StatsRepository;

beforeAll(async () => {
  rows = await RowsReadFixture.open();
  stats = new StatsRepository(rows.database, rows.system);
});
afterAll(() => rows.close());

async function otherTenants(count: number): Promise<void> {
  await rows.sql(
    `INSERT INTO tenants (tenant_id, name) SELECT gen_random_uuid(), 'other ' || left($1::text, 1)
     FROM generate_series(1, $2::int)`,
    count,
  );
}

/** So many of everything that is over: answers that ended, deliveries that were made. */
async function whatIsOver(count: number): Promise<void> {
  const roomId = await rows.room(['alice'], 0);
  await rows.sql(
    `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state, ended_at)
     SELECT $1, gen_random_uuid(), $2, 'alice', n, 'completed', now() FROM generate_series(1, $3::int) n`,
    roomId,
    count,
  );
  await rows.sql(
    `INSERT INTO webhook_deliveries (tenant_id, delivery_id, type, state)
     SELECT $1, gen_random_uuid(), 'test', 'delivered' FROM generate_series(1, $2::int)`,
    count,
  );
  await rows.sql(
    `INSERT INTO notification_deliveries (tenant_id, user_id, notification_id, waits_since, delivered_at)
     SELECT $1, 'alice', gen_random_uuid(), now(), now() FROM generate_series(1, $2::int)`,
    count,
  );
}

describe('counts of work', () => {
  const scopes = [
    ['of all', (): undefined => undefined],
    ['of a tenant', (): string => rows.tenantId],
  ] as const;

  it('read nothing of tenants, of messages, or of what is over', async () => {
    const none = { message: 0, notification: 0, webhook: 0 };
    const empty = { jobs: [], runs: { queued: 0, streaming: 0 }, dead_letters: none, capped: [] };
    const read = async (): Promise<number[]> => {
      await rows.analyze();
      const counted: number[] = [];
      for (const [, of] of scopes) {
        expect(await stats.counts(of())).toEqual(empty);
        counted.push(await rows.by(() => stats.counts(of())));
      }
      return counted;
    };
    for (const n of await read()) expect(n).toBeLessThanOrEqual(AROUND);
    await otherTenants(1000);
    await rows.room(['alice', 'bob'], 20_000);
    await whatIsOver(20_000);
    for (const n of await read()) expect(n).toBeLessThanOrEqual(AROUND);
  });

  it.each(scopes)('%s say what there is, and end at ten thousand of each', async (_, of) => {
    const roomId = await rows.room(['alice'], 0);
    await rows.sql(
      `INSERT INTO jobs (tenant_id, kind, key, payload, state, ended_at)
       SELECT $1, k, 'x', '{}', s, CASE s WHEN 'dead' THEN now() END
       FROM (VALUES ('a', 'queued', 12000), ('a', 'running', 2), ('b', 'running', 1), ('b', 'dead', 11000)) v (k, s, c),
         generate_series(1, c)`,
    );
    await rows.sql(
      `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state)
       SELECT $1, gen_random_uuid(), $2, 'alice', n, CASE WHEN n <= 3 THEN 'streaming' ELSE 'queued' END
       FROM generate_series(1, 8) n`,
      roomId,
    );
    await rows.sql(
      `INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
       SELECT $1, $2, 'alice', 10 * n, 10 * n + 4, n, 1, now(), '' FROM generate_series(1, 2) n`,
      roomId,
    );
    await rows.sql(
      `INSERT INTO webhook_deliveries (tenant_id, delivery_id, type, state, last_attempt_at)
       SELECT $1, gen_random_uuid(), 'test', 'dead', now() FROM generate_series(1, 12000)`,
    );
    await rows.sql(
      `INSERT INTO notification_deliveries (tenant_id, user_id, notification_id, waits_since, dead_at)
       SELECT $1, 'alice', gen_random_uuid(), now(), now() FROM generate_series(1, 4)`,
    );
    await rows.analyze();
    expect(await stats.counts(of())).toEqual({
      jobs: [
        { kind: 'a', queued: CAP, running: 2, dead: 0 },
        { kind: 'b', queued: 0, running: 1, dead: CAP },
      ],
      runs: { queued: 5, streaming: 3 },
      dead_letters: { message: 10, notification: 4, webhook: CAP },
      capped: ['jobs.queued', 'jobs.dead', 'dead_letters.webhook'],
    });
    expect(await rows.by(() => stats.counts(of()))).toBeLessThanOrEqual(COUNTS * CAP);
    const other = await stats.counts(randomUUID());
    expect([other.jobs, other.dead_letters.webhook, other.capped]).toEqual([[], 0, []]);
    await rows.sql(
      `WITH a AS (DELETE FROM jobs WHERE tenant_id = $1), b AS (DELETE FROM runs WHERE tenant_id = $1 AND ended_at IS NULL),
         c AS (DELETE FROM dead_letters WHERE tenant_id = $1), d AS (DELETE FROM webhook_deliveries WHERE tenant_id = $1)
       DELETE FROM notification_deliveries WHERE tenant_id = $1 AND dead_at IS NOT NULL`,
    );
  });
});

describe('minutes', () => {
  const HOUR = 3600;

  it('of a tenant add up within the minute; one of a tenant that is gone is passed over', async () => {
    await rows.sql(`DELETE FROM stats_minutes WHERE tenant_id = $1`);
    const gone = randomUUID();
    await stats.addTenants([
      { tenant_id: gone, ...MINUTE },
      { tenant_id: rows.tenantId, ...MINUTE },
    ]);
    // In the same minute, even where the next one has begun meanwhile.
    await rows.sql(`UPDATE stats_minutes SET minute = date_trunc('minute', clock_timestamp()) WHERE tenant_id = $1`);
    await stats.addTenants([{ tenant_id: rows.tenantId, ...MINUTE, online: 5, p50_ms: null, p99_ms: 11 }]);
    const points = await stats.ofTenant(rows.tenantId, HOUR, HOUR);
    const sum = (of: keyof Minute): number => points.reduce((all, point) => all + Number(point[of]), 0);
    expect([sum('messages_sent'), sum('deliveries'), sum('refused'), sum('tokens')]).toEqual([20, 40, 6, 8]);
    expect(Math.max(...points.map(({ online }) => online))).toBe(5);
    expect(Math.max(...points.map(({ p99_ms }) => p99_ms ?? 0))).toBe(11);
    expect(await stats.ofTenant(gone, HOUR, HOUR)).toEqual([]);
  });

  it('are joined into steps, oldest first, and read by their number alone', async () => {
    await rows.sql(`DELETE FROM stats_minutes WHERE tenant_id = $1`);
    await otherTenants(3);
    await rows.sql(
      `INSERT INTO stats_minutes (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens, p50_ms,
         p99_ms)
       SELECT t.tenant_id, date_trunc('minute', now()) - make_interval(mins => n), n, 1, 10, 20, 0, 0,
         CASE WHEN t.tenant_id = $1 THEN 4 END, n FROM tenants t, generate_series(0, 89) n
       WHERE t.tenant_id = $1 OR t.tenant_id IN (SELECT tenant_id FROM tenants LIMIT 20)`,
    );
    await rows.analyze();
    const read = () => stats.ofTenant(rows.tenantId, HOUR, 900);
    const points = await read();
    // The step at hand and the four before.
    expect(points).toHaveLength(5);
    expect(points.map(({ at }) => at.getTime() % 900_000)).toEqual([0, 0, 0, 0, 0]);
    expect(points.map(({ at }) => at.getTime())).toEqual(points.map(({ at }) => at.getTime()).sort((a, b) => a - b));
    expect(points.slice(1, 4).map(({ messages_sent }) => messages_sent)).toEqual([150, 150, 150]);
    expect(points[1]).toMatchObject({ p50_ms: 4, p99_ms: points[1]?.connections });
    expect(await rows.by(read)).toBeLessThanOrEqual(75 + AROUND);
  });

  it('of several nodes are one', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await stats.addServer({ ...SERVER, node_id: a });
    await stats.addServer({ ...SERVER, node_id: b, loop_p99_ms: 70 });
    await rows.sql(
      `UPDATE server_minutes SET minute = date_trunc('minute', clock_timestamp()) WHERE $1::uuid IS NOT NULL`,
    );
    const [point] = (await stats.ofServer(HOUR, HOUR)).slice(-1);
    expect(point).toMatchObject({ messages_sent: 20, connections: 4, online: 1, loop_p99_ms: 70, rss_bytes: 2e9 });
    await stats.addServer({ ...SERVER, node_id: a, append_items: 50 });
    const sums = await stats.ofServer(HOUR, HOUR);
    expect(sums.reduce((all, { messages_sent }) => all + messages_sent, 0)).toBe(30);
  });

  it('go after seven days, at most five thousand at a time', async () => {
    await rows.sql(`DELETE FROM stats_minutes WHERE $1::uuid IS NOT NULL`);
    await rows.sql(
      `INSERT INTO stats_minutes (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens)
       SELECT $1, date_trunc('minute', now()) - interval '7 days' - make_interval(mins => n), 0, 0, 0, 0, 0, 0
       FROM generate_series(-2, 6000) n`,
    );
    const left = async (): Promise<unknown> => {
      const [row] = await rows.sql(`SELECT count(*)::int AS n FROM stats_minutes WHERE tenant_id = $1`);
      return (row as { n: number }).n;
    };
    await rows.analyze();
    await stats.purge();
    expect(await left()).toBe(1003);
    await stats.purge();
    expect([1, 2, 3]).toContain(await left());
  });
});
