import { JobGate, jobHandler, type JobsFixture, startJobs } from '../support/jobs';
import { JobsCluster } from '../support/jobs-cluster';
import { until } from '../support/poll';

/** Nodes without polls: what no wake-up brings about never happens. */
describe('jobs on several nodes', () => {
  let test: JobsFixture;
  let tenant: string;
  let cluster: JobsCluster;

  beforeAll(async () => {
    test = await startJobs();
  });
  beforeEach(async () => {
    await test.clear();
    tenant = await test.tenant();
  });
  afterEach(() => cluster.stop());
  afterAll(() => test.close());

  /** So many have ended, and nobody looks for more. */
  const ended = (n: number) =>
    until(
      () => Promise.resolve([cluster.ended, cluster.isIdle] as const),
      ([all, isIdle]) => all >= n && isIdle,
    );
  const started = (gates: readonly JobGate[], n: number) =>
    until(
      () => Promise.resolve(gates.reduce((sum, gate) => sum + gate.started.length, 0)),
      (all) => all >= n,
    );
  const of = (kind: string, n: number, key?: string) =>
    Array.from({ length: n }, (_, i) => ({ kind, key: key ?? `key ${i}`, payload: {} }));

  it('claim once per wake-up where the node that is woken has a slot: 200 wake-ups, the others are not asked', async () => {
    const done = jobHandler(() => Promise.resolve());
    cluster = new JobsCluster(test.repository, [{ a: done }, { a: done }, { a: done }]);
    for (let n = 0; n < 200; n++) {
      await cluster.node(n % 3).jobs.add(tenant, of('a', 1));
      await ended(n + 1);
    }
    expect(cluster.claims).toBe(200);
    expect(cluster.passedOn).toBe(0);
    expect(cluster.nodes.map(({ claims }) => claims.empty)).toEqual([0, 0, 0]);
  });

  it('fill the slots of all nodes, whichever is woken, and none waits while one has a slot', async () => {
    const gates = [new JobGate(), new JobGate(), new JobGate()] as const;
    cluster = new JobsCluster(
      test.repository,
      gates.map(({ run }) => ({ a: jobHandler(run, { slots: 2 }) })),
    );
    await cluster.node(0).jobs.add(tenant, of('a', 50));
    await started(gates, 6);
    expect(gates.map((gate) => gate.started.length)).toEqual([2, 2, 2]);
    expect(cluster.claims).toBe(3);
    expect(cluster.passedOn).toBe(2);
    // Full nodes are asked without a claim, each once per wake-up.
    await cluster.node(1).jobs.add(tenant, of('a', 1));
    await until(
      () => Promise.resolve(cluster.passedOn),
      (passed) => passed >= 4,
    );
    expect(cluster.claims).toBe(3);
    for (const gate of gates) gate.open();
    await ended(51);
    expect(await test.rows()).toEqual([]);
  });

  it('begin what a limit held back where the one before it ends, though another node was woken', async () => {
    const gates = [new JobGate(), new JobGate()] as const;
    cluster = new JobsCluster(
      test.repository,
      gates.map(({ run }) => ({ a: jobHandler(run, { concurrency: 1 }) })),
    );
    await cluster.node(1).jobs.add(tenant, of('a', 1, 'a room'));
    await started([gates[1]], 1);
    await cluster.node(0).jobs.add(tenant, of('a', 3, 'a room'));
    await until(
      () => Promise.resolve(cluster.node(0).claimed),
      (claims) => claims > 0,
    );
    expect([gates[0].started.length, cluster.passedOn]).toEqual([0, 0]);
    for (const gate of gates) gate.open();
    await ended(4);
    expect(cluster.node(1).ended).toHaveLength(4);
  });

  it('are asked by a node that is full of one kind for that kind alone', async () => {
    const [slow, far, quick] = [new JobGate(), new JobGate(), new JobGate()] as const;
    quick.open();
    cluster = new JobsCluster(
      test.repository,
      [slow, far].map(({ run }) => ({ a: jobHandler(run, { slots: 1 }), b: jobHandler(quick.run) })),
    );
    for (let n = 0; n < 2; n++) await cluster.node(0).jobs.add(tenant, of('a', 1));
    await started([slow, far], 2);
    await cluster.node(0).jobs.add(tenant, of('b', 1));
    await ended(1);
    expect(cluster.node(0).ended).toEqual(['done']);
    // Of another tenant: nothing that ends makes room for it but a slot.
    await cluster.node(1).jobs.add(await test.tenant(), of('a', 1));
    // Whichever has a slot first begins it, though neither saw it when it came.
    far.open();
    await started([far], 2);
    slow.open();
    await ended(4);
  });

  it('take over what is committed on a node that stops', async () => {
    const gates = [new JobGate(), new JobGate(), new JobGate()] as const;
    for (const gate of gates) gate.open();
    cluster = new JobsCluster(
      test.repository,
      gates.map(({ run }) => ({ a: jobHandler(run) })),
    );
    await cluster.node(0).stop();
    for (let n = 1; n <= 5; n++) {
      await cluster.node(0).jobs.add(tenant, of('a', 1));
      await ended(n);
    }
    expect(gates[0].started).toEqual([]);
  });

  it('many at once on all nodes are done without a poll, each once', async () => {
    const done: number[] = [];
    const run = jobHandler(
      async (job) => {
        await new Promise((resolve) => setImmediate(resolve));
        done.push(job.id);
      },
      { slots: 3, concurrency: 2 },
    );
    cluster = new JobsCluster(test.repository, [{ a: run }, { a: run }, { a: run }]);
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => cluster.node(n % 3).jobs.add(tenant, of('a', 1, `key ${n % 7}`))),
    );
    await ended(200);
    expect(new Set(done).size).toBe(200);
    expect(done).toHaveLength(200);
    expect(await test.rows()).toEqual([]);
  });
});
