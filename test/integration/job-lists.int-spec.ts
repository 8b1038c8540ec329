import { randomUUID } from 'node:crypto';
import { JobListsRepository, type JobRow, type JobState, TIME_OF } from '../../src/platform/jobs';
import { type JobPlace } from '../../src/platform/jobs/job-lists.repository';
import { RowsReadFixture } from '../support/rows-read-fixture';

const STATES: readonly JobState[] = ['queued', 'running', 'dead'];
const KINDS = ['a', 'b', 'webhook.deliver'];

describe('the jobs that an operator sees', () => {
  let rows: RowsReadFixture;
  let lists: JobListsRepository;
  const other = randomUUID();

  beforeAll(async () => {
    rows = await RowsReadFixture.open();
    lists = new JobListsRepository(rows.database, rows.system);
    await rows.sql(`INSERT INTO tenants (tenant_id, name) SELECT $2::uuid, 'other' WHERE $1::uuid IS NOT NULL`, other);
  });
  beforeEach(() => rows.empty('jobs'));
  afterAll(() => rows.close());

  /** So many jobs in a state, each a minute older than the one before; three of each minute. */
  async function add(tenantId: string, kind: string, state: JobState, count: number): Promise<void> {
    await rows.sql(
      `INSERT INTO jobs (tenant_id, kind, key, payload, state, run_at, created_at, ended_at, last_error)
       SELECT $2::uuid, $3, 'k', '{"user_id":"alice"}', $4, t, t, CASE WHEN $4 = 'dead' THEN t END, 'boom'
       FROM generate_series(1, $5::int) n, LATERAL (SELECT date_trunc('minute', now()) - n / 3 * interval '1 min' AS t) x
       WHERE $1::uuid IS NOT NULL`,
      tenantId,
      kind,
      state,
      count,
    );
  }

  /** All pages of a list. */
  async function all(page: (after: JobPlace | undefined) => Promise<JobRow[]>, state: JobState): Promise<JobRow[]> {
    const found: JobRow[] = [];
    for (let after: JobPlace | undefined, more = true; more;) {
      const next = await page(after);
      found.push(...next);
      const last = next.at(-1);
      if (last !== undefined)
        after = [last.kind, (last[TIME_OF[state]] ?? last.created_at).toISOString(), last.id] as const;
      more = last !== undefined;
    }
    return found;
  }

  it('are counted by kind, of one tenant and of all, up to a bound', async () => {
    await add(rows.tenantId, 'a', 'queued', 7);
    await add(rows.tenantId, 'a', 'dead', 30);
    await add(rows.tenantId, 'webhook.deliver', 'running', 2);
    await add(other, 'a', 'queued', 4);
    await add(other, 'b', 'dead', 1);
    const numbers = async (tenantId: string | undefined, most: number): Promise<unknown[]> =>
      (await lists.counts(tenantId, most)).map(({ kind, queued, running, dead }) => [kind, queued, running, dead]);
    expect(await numbers(rows.tenantId, 100)).toEqual([
      ['a', 7, 0, 30],
      ['webhook.deliver', 0, 2, 0],
    ]);
    expect(await numbers(undefined, 100)).toEqual([
      ['a', 11, 0, 30],
      ['b', 0, 0, 1],
      ['webhook.deliver', 0, 2, 0],
    ]);
    expect(await numbers(undefined, 5)).toEqual([
      ['a', 5, 0, 5],
      ['b', 0, 0, 1],
      ['webhook.deliver', 0, 2, 0],
    ]);
    expect(await numbers(randomUUID(), 5)).toEqual([]);
  });

  it('tell when the one that waits for longest was due', async () => {
    await add(rows.tenantId, 'a', 'queued', 9);
    await add(other, 'a', 'queued', 30);
    const due = async (tenantId?: string): Promise<number | undefined> =>
      (await lists.counts(tenantId, 10))[0]?.due_at?.getTime();
    const [own = 0, every = 0] = [await due(rows.tenantId), await due()];
    expect(own - every).toBe(7 * 60_000);
  });

  it.each(STATES)('are listed page by page, each once and in order: %s', async (state) => {
    for (const kind of KINDS) for (const each of STATES) await add(rows.tenantId, kind, each, 10);
    await add(other, 'a', state, 10);
    const listed = await all((after) => lists.ofTenant(rows.tenantId, { kind: undefined, state }, after, 4), state);
    expect(listed.map(({ kind }) => kind)).toEqual(KINDS.flatMap((kind) => Array<string>(10).fill(kind)));
    expect(new Set(listed.map(({ id }) => id)).size).toBe(30);
    expect(listed.filter(({ state: is }) => is !== state)).toEqual([]);
    const times = listed.slice(0, 10).map((row) => row[TIME_OF[state]]?.getTime() ?? 0);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const some = await all((after) => lists.ofTenant(rows.tenantId, { kind: 'b', state }, after, 3), state);
    expect(some).toEqual(listed.filter(({ kind }) => kind === 'b'));
  });

  it.each(['running', 'dead'] as const)('of all tenants are listed by time: %s', async (state) => {
    for (const tenantId of [rows.tenantId, other]) for (const kind of KINDS) await add(tenantId, kind, state, 5);
    const listed = await all((after) => lists.ofAll({ kind: undefined, state }, after, 7), state);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(30);
    const times = listed.map((row) => row[TIME_OF[state]]?.getTime() ?? 0);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const some = await all((after) => lists.ofAll({ kind: 'b', state }, after, 3), state);
    expect(some).toEqual(listed.filter(({ kind }) => kind === 'b'));
  });

  it('are looked at by the index: as many rows as are told, whatever waits beside them', async () => {
    for (const kind of KINDS) for (const state of STATES) await add(rows.tenantId, kind, state, 3000);
    await add(other, 'a', 'dead', 3000);
    await rows.analyze();
    const last = (await lists.ofTenant(rows.tenantId, { kind: 'b', state: 'dead' }, undefined, 1500)).at(-1);
    const after: JobPlace = ['b', last?.ended_at?.toISOString() ?? '', last?.id ?? 0];
    for (const state of ['queued', 'dead'] as const) {
      const ofTenant = (place?: JobPlace) => lists.ofTenant(rows.tenantId, { kind: undefined, state }, place, 11);
      expect(await rows.by(() => ofTenant())).toBeLessThan(40);
      if (state === 'dead') expect(await rows.by(() => ofTenant(after))).toBeLessThan(40);
    }
    // Those of the same minute are sorted.
    expect(await rows.by(() => lists.ofAll({ kind: undefined, state: 'dead' }, undefined, 11))).toBeLessThan(60);
    // Ten of each of three states and kinds, and what the jumps read.
    expect(await rows.by(() => lists.counts(rows.tenantId, 10))).toBeLessThan(300);
    expect(await rows.by(() => lists.counts(undefined, 10))).toBeLessThan(300);
  });

  describe('are run now', () => {
    const runNow = (tenantId: string, id: number): Promise<JobRow | undefined> =>
      rows.database.transaction('test', tenantId, (tx) => lists.runNow(tx, tenantId, id));

    it('where they wait or were given up; what runs stays as it is', async () => {
      for (const state of STATES) await add(rows.tenantId, 'a', state, 1);
      await rows.sql(`UPDATE jobs SET attempts = 3, run_at = now() + interval '1 day' WHERE tenant_id = $1`);
      for (const state of STATES) {
        const [job] = await lists.ofTenant(rows.tenantId, { kind: undefined, state }, undefined, 1);
        const after = await runNow(rows.tenantId, job?.id ?? 0);
        const isLeft = state === 'running';
        expect(after).toMatchObject({ state: isLeft ? 'running' : 'queued', attempts: state === 'dead' ? 0 : 3 });
        expect((after?.run_at.getTime() ?? 0) > Date.now() + 3_600_000).toBe(isLeft);
        // What made it fail is still to be seen.
        expect(after).toMatchObject({ last_error: 'boom', ended_at: null });
      }
    });

    it('of the tenant alone, and only those that there are', async () => {
      await add(rows.tenantId, 'a', 'dead', 1);
      const [job] = await lists.ofTenant(rows.tenantId, { kind: undefined, state: 'dead' }, undefined, 1);
      expect(await runNow(other, job?.id ?? 0)).toBeUndefined();
      expect(await runNow(rows.tenantId, (job?.id ?? 0) + 1)).toBeUndefined();
    });
  });
});
