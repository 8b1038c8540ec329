import { DeadJob, type Job, type JobRunner, PostponeJob, RetryJob } from '../../src/platform/jobs';
import { JobGate, jobHandler, type JobsFixture, startJobs } from '../support/jobs';
import { until } from '../support/poll';

describe('jobs', () => {
  let test: JobsFixture;
  let tenant: string;

  beforeAll(async () => {
    test = await startJobs();
  });
  beforeEach(async () => {
    await test.clear();
    tenant = await test.tenant();
  });
  afterAll(() => test.close());

  const gone = () =>
    until(
      () => test.rows(),
      (rows) => rows.length === 0,
    );
  const started = (gate: JobGate, n: number) =>
    until(
      () => Promise.resolve(gate.started),
      (jobs) => jobs.length >= n,
    );
  const states = async (): Promise<string[]> => (await test.rows()).map(({ state }) => state);

  describe('A17 limits that tenants set', () => {
    const limits = {
      perTenant: { name: 'runs_at_once', byDefault: 6 },
      perUser: { name: 'runs_at_once_per_user', byDefault: 2 },
    };
    const limited = (gate: JobGate) => test.node({ a: jobHandler(gate.run, { concurrency: 1, limits }) });
    /** Jobs of a user, each with a key of its own. */
    const of = (user: string, n: number, key?: string) =>
      test.jobs.add(
        tenant,
        Array.from({ length: n }, (_, i) => ({ kind: 'a', key: key ?? `${user}${i}`, payload: { user_id: user } })),
      );
    const names = (gate: JobGate) => gate.started.map(({ payload }) => (payload as { user_id: string }).user_id);
    const setLimits = (given: object) =>
      test.database.sql('UPDATE tenants SET limits = $2 WHERE tenant_id = $1', [tenant, given]);

    it('A17: a user has so many at once, a tenant so many in all; users take turns', async () => {
      const gate = new JobGate();
      const node = limited(gate);
      await of('alice', 20);
      await node.worker.pump();
      await started(gate, 2);
      await of('bob', 20);
      await of('carol', 1);
      await of('dave', 5);
      await node.worker.pump();
      expect(names(gate).slice(0, 6).sort()).toEqual(['alice', 'alice', 'bob', 'bob', 'carol', 'dave']);
      await node.worker.pump();
      expect(gate.started).toHaveLength(6);
      await test.clear();
      gate.open();
    });

    it("A17: the tenant's own limits hold at once, null is none, and what waits follows in order", async () => {
      const gate = new JobGate();
      const node = limited(gate);
      await setLimits({ runs_at_once: null, runs_at_once_per_user: 1 });
      await of('alice', 3);
      await of('bob', 3);
      await node.worker.pump();
      expect(names(gate).sort()).toEqual(['alice', 'bob']);
      await setLimits({ runs_at_once: 100, runs_at_once_per_user: null });
      await node.worker.pump();
      await started(gate, 6);
      expect(gate.started.map(({ key }) => key).filter((key) => key.startsWith('alice'))).toEqual([
        'alice0',
        'alice1',
        'alice2',
      ]);
      gate.open();
      await gone();
    });

    it('A17: what one user, or one chat of theirs, has waiting hides nobody else', async () => {
      const gate = new JobGate();
      const node = limited(gate);
      await of('alice', 2000);
      await of('bob', 2000, 'one chat');
      await of('carol', 1);
      // Each claim looks past those that the one before has filled up.
      for (let claim = 0; claim < 3; claim++) await node.worker.pump();
      await started(gate, 4);
      expect(names(gate).sort()).toEqual(['alice', 'alice', 'bob', 'carol']);
      await test.clear();
      gate.open();
    });

    it('A17: the next one begins when one ends, without waiting for the poll', async () => {
      const node = limited({ run: () => Promise.resolve() } as unknown as JobGate);
      await of('alice', 30);
      await node.worker.pump();
      await gone();
      expect(node.ended).toHaveLength(30);
    });
  });

  describe('claims', () => {
    it('hands a job over as it was put in, once, and forgets it when it is done', async () => {
      const gate = new JobGate();
      const node = test.node({ a: jobHandler(gate.run) });
      await test.jobs.add(tenant, [{ kind: 'a', key: 'k ☃', payload: { deep: [1, null, 'ü'] } }]);
      await node.worker.pump();
      await node.worker.pump();
      const [job] = await started(gate, 1);
      expect(job).toMatchObject({
        tenantId: tenant,
        kind: 'a',
        key: 'k ☃',
        payload: { deep: [1, null, 'ü'] },
        attempt: 1,
      });
      expect(Math.abs((job?.createdAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
      gate.open();
      await gone();
      expect(gate.started).toHaveLength(1);
      expect(node.ended).toEqual(['done']);
    });

    it('is taken back with the transaction that it was put in with', async () => {
      const work = test.open.database.transaction('test', tenant, async (sql) => {
        await test.jobs.enqueue(sql, tenant, [{ kind: 'a', key: 'k', payload: {} }]);
        throw new Error('never mind');
      });
      await expect(work).rejects.toThrow('never mind');
      expect(await states()).toEqual([]);
    });

    it('leaves what is not due, and kinds that nobody handles', async () => {
      const gate = new JobGate();
      const node = test.node({ a: jobHandler(gate.run) });
      await test.add(tenant, 'a', 1, { delayMs: 60_000 });
      await test.add(tenant, 'b', 1);
      await node.worker.pump();
      expect(await states()).toEqual(['queued', 'queued']);
      expect(gate.started).toEqual([]);
    });

    it('two workers share the work: nothing is done twice', async () => {
      const done: number[] = [];
      const count = jobHandler((job) => Promise.resolve(void done.push(job.id)), { slots: 7 });
      const nodes = [test.node({ a: count }), test.node({ a: count })];
      await test.add(tenant, 'a', 300);
      await until(
        async () => {
          await Promise.all(nodes.map((node) => node.worker.pump()));
          return test.rows();
        },
        (rows) => rows.length === 0,
      );
      expect(done).toHaveLength(300);
      expect(new Set(done).size).toBe(300);
      for (const { ended } of nodes) expect(ended.length).toBeGreaterThan(0);
    });

    it('keeps the limit of a key over all nodes, and lets other keys pass', async () => {
      const gate = new JobGate();
      const limited = jobHandler(gate.run, { concurrency: 2 });
      const nodes = [test.node({ a: limited }), test.node({ a: limited })];
      await test.add(tenant, 'a', 20, { key: 'slow' });
      await test.add(tenant, 'a', 1, { key: 'other' });
      await Promise.all(nodes.map((node) => node.worker.pump()));
      await started(gate, 3);
      expect(gate.started.map(({ key }) => key).sort()).toEqual(['other', 'slow', 'slow']);
      gate.open();
      await gone();
    });

    it('keeps the limit of a tenant', async () => {
      const gate = new JobGate();
      const node = test.node({ a: jobHandler(gate.run, { perTenant: 3 }) });
      await test.add(tenant, 'a', 20);
      await node.worker.pump();
      await started(gate, 3);
      expect((await states()).filter((state) => state === 'running')).toHaveLength(3);
      gate.open();
      await gone();
    });

    it('a tenant with a backlog does not delay another', async () => {
      const gate = new JobGate();
      const node = test.node({ a: jobHandler(gate.run, { slots: 8, perTenant: 6 }) });
      const other = await test.tenant();
      await test.add(tenant, 'a', 2000);
      await node.worker.pump();
      await started(gate, 6);
      await test.add(other, 'a', 5);
      await node.worker.pump();
      await started(gate, 8);
      expect(gate.started.slice(6).map(({ tenantId }) => tenantId)).toEqual([other, other]);
      await test.clear();
      gate.open();
    });

    it('gives tenants their turns where there is room for few', async () => {
      const gate = new JobGate();
      const node = test.node({ a: jobHandler(gate.run, { slots: 4 }) });
      const others = await Promise.all([test.tenant(), test.tenant(), test.tenant()]);
      for (const each of [tenant, ...others]) await test.add(each, 'a', 10);
      await node.worker.pump();
      await started(gate, 4);
      expect(gate.started.map(({ tenantId }) => tenantId).sort()).toEqual([tenant, ...others].sort());
      await test.clear();
      gate.open();
    });

    it.each(['queued', 'running', 'dead', 'gone'] as const)(
      'reads a bounded part of a long backlog, though the planner believes that all is %s',
      async (state) => {
        await test.add(tenant, 'a', 20_000);
        await test.believeAll('running');
        await test.believeAll(state);
        await test.clear();
        const other = await test.tenant();
        await test.add(tenant, 'a', 20_000);
        await test.add(other, 'a', 1);
        const kinds = { kinds: ['a'], free: [8], perTenant: [4], perKey: [100], maxAttempts: [5], leaseMs: 1000 };
        const { result, rows } = await test.claimed({ ...kinds, limits: [undefined], after: null });
        expect(result.jobs).toHaveLength(5);
        expect(rows).toBeGreaterThan(0);
        expect(rows).toBeLessThan(100);
      },
    );
  });

  describe('failures', () => {
    it('tries again after the delay of the schedule, and ends dead after the last attempt', async () => {
      const dead: [number, string][] = [];
      const failing = jobHandler(() => Promise.reject(new Error('no')), {
        maxAttempts: 3,
        onDead: (job, error) => Promise.resolve(void dead.push([job.attempt, error])),
      });
      const node = test.node({ a: failing });
      await test.add(tenant, 'a', 1);
      for (const attempts of [1, 2]) {
        await node.worker.pump();
        await until(
          () => test.rows(),
          ([row]) => row?.state === 'queued' && row.attempts === attempts && row.last_error === 'no',
        );
        await node.worker.pump();
        expect(node.ended).toHaveLength(attempts);
        await test.letDelaysEnd();
      }
      await node.worker.pump();
      await until(states, ([state]) => state === 'dead');
      expect(dead).toEqual([[3, 'no']]);
      expect(node.ended).toEqual(['retry', 'retry', 'dead']);
    });

    it.each<[string, Error, object]>([
      [
        'a retry at a time of its own',
        new RetryJob('later', 3_600_000),
        { attempts: 1, last_error: 'later', far: true },
      ],
      ['a postponement', new PostponeJob('not yet', 3_600_000), { attempts: 0, last_error: null, far: true }],
      ['the end at once', new DeadJob('gone'), { attempts: 1, last_error: 'gone', state: 'dead' }],
    ])('does what the handler asks for: %s', async (_, error, expected) => {
      const node = test.node({ a: jobHandler(() => Promise.reject(error), { schedule: [1] }) });
      await test.add(tenant, 'a', 1);
      await node.worker.pump();
      await until(
        () => Promise.resolve(node.ended),
        (ended) => ended.length === 1,
      );
      const [row] = await test.database.sql(
        `SELECT state, attempts, last_error, run_at > now() + interval '59 minutes' AS far FROM jobs`,
      );
      expect(row).toMatchObject({ state: 'queued', ...expected });
    });

    it('a dead job can be revived under its id, once, or dropped', async () => {
      const ids: number[] = [];
      const run: JobRunner['run'] = (job) => {
        ids.push(job.id);
        return ids.length === 1 ? Promise.reject(new DeadJob('no')) : Promise.resolve();
      };
      const node = test.node({ a: jobHandler(run) });
      await test.add(tenant, 'a', 1);
      await node.worker.pump();
      await until(states, ([state]) => state === 'dead');
      const [dead] = await test.jobs.dead(tenant, 'a', 10);
      expect(dead).toMatchObject({ kind: 'a', key: 'key', payload: { i: 0 }, attempts: 1, error: 'no' });
      const id = dead?.id ?? 0;
      expect(await test.jobs.revive(await test.tenant(), 'a', [id])).toEqual([]);
      expect(await test.jobs.revive(tenant, 'a', [id])).toEqual([id]);
      expect(await test.jobs.revive(tenant, 'a', [id])).toEqual([]);
      expect(await test.jobs.drop(tenant, 'a', [id])).toEqual([]);
      await node.worker.pump();
      await gone();
      expect(ids).toEqual([id, id]);
    });
  });

  describe('a worker that dies', () => {
    it('loses nothing: another one does the work when the lease has run out, and the late one is refused', async () => {
      const [first, second] = [new JobGate(), new JobGate()];
      const [dying, other] = [test.node({ a: jobHandler(first.run) }), test.node({ a: jobHandler(second.run) })];
      await test.add(tenant, 'a', 3);
      await dying.worker.pump();
      await started(first, 3);
      await other.worker.pump();
      expect(second.started).toEqual([]);
      await test.letLeasesRunOut();
      await other.worker.pump();
      await started(second, 3);
      expect(second.started.map(({ id, attempt }) => [id, attempt])).toEqual(first.started.map(({ id }) => [id, 2]));
      first.open();
      await until(
        () => Promise.resolve(dying.ended),
        (ended) => ended.length === 3,
      );
      expect(dying.ended).toEqual(['lost', 'lost', 'lost']);
      expect(await states()).toEqual(['running', 'running', 'running']);
      second.open();
      await gone();
    });

    it('in the middle of many jobs: every one is run, and all but those under way only once', async () => {
      const runs = new Map<number, number>();
      let count = 0;
      const work = jobHandler((job) => {
        runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
        if (++count === 150) victim.kill();
        return Promise.resolve();
      });
      const victim = test.node({ a: work });
      await test.add(tenant, 'a', 400);
      await until(
        async () => {
          await victim.worker.pump();
          return count;
        },
        (n) => n >= 150,
      );
      const other = test.node({ a: work });
      await until(
        async () => {
          await test.letLeasesRunOut();
          await other.worker.pump();
          return test.rows();
        },
        (rows) => rows.length === 0,
      );
      expect(runs.size).toBe(400);
      expect([...runs.values()].filter((n) => n > 1).length).toBeLessThanOrEqual(64);
    });

    it('a job that kills every worker ends dead', async () => {
      const dead: string[] = [];
      await test.add(tenant, 'a', 1);
      const poison = () =>
        jobHandler(() => new Promise(() => undefined), {
          maxAttempts: 2,
          onDead: (_job, error) => Promise.resolve(void dead.push(error)),
        });
      for (const attempts of [1, 2]) {
        await test.node({ a: poison() }).worker.pump();
        expect(await test.rows()).toMatchObject([{ state: 'running', attempts }]);
        await test.letLeasesRunOut();
      }
      await test.node({ a: poison() }).worker.pump();
      await until(states, ([state]) => state === 'dead');
      expect(dead).toEqual(['the worker was lost']);
    });

    it('ends dead too where burying it kills the worker', async () => {
      await test.add(tenant, 'a', 1);
      const never = (): Promise<void> => new Promise(() => undefined);
      for (let claims = 0; (await states())[0] !== 'dead'; claims++) {
        expect(claims).toBeLessThan(10);
        await test.letLeasesRunOut();
        await test.node({ a: jobHandler(never, { maxAttempts: 1, onDead: never }) }).worker.pump();
      }
    });
  });

  describe('a stop', () => {
    it('S31: is bounded by the time that the server has, whatever the handler would like', async () => {
      const aborted: unknown[] = [];
      const run = (_job: Job, signal: AbortSignal): Promise<void> =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(signal.reason);
            reject(new Error('given up'));
          });
        });
      const node = test.node({ a: jobHandler(run, { drainMs: 600_000, slots: 100 }) });
      await test.add(tenant, 'a', 100);
      await node.worker.pump();
      await node.worker.stop(0);
      expect(aborted).toHaveLength(100);
      expect(await states()).toEqual(Array.from({ length: 100 }, () => 'queued'));
      expect(node.ended).toEqual(Array.from({ length: 100 }, () => 'released'));
    });

    it('lets the work finish', async () => {
      const gate = new JobGate();
      const node = test.node({ a: jobHandler(gate.run) });
      await test.add(tenant, 'a', 1);
      await node.worker.pump();
      await started(gate, 1);
      const stopped = node.worker.stop();
      gate.open();
      await stopped;
      expect(await states()).toEqual([]);
    });

    it('gives back what does not finish, without counting the attempt, and claims nothing more', async () => {
      const run = (_job: Job, signal: AbortSignal): Promise<void> =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      const node = test.node({ a: jobHandler(run, { drainMs: 1, perTenant: 1 }) });
      await test.add(tenant, 'a', 2);
      await node.worker.pump();
      await node.worker.stop();
      await node.worker.pump();
      expect(await test.rows()).toMatchObject([
        { state: 'queued', attempts: 0 },
        { state: 'queued', attempts: 0 },
      ]);
    });
  });
});
