import { once } from 'node:events';
import type { Job } from '../../src/platform/jobs';
import { JobGate, jobHandler, type JobsFixture, startJobs } from '../support/jobs';
import { until } from '../support/poll';

describe('leases', () => {
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

  it('are renewed while the work goes on, and abort it when that fails for too long', async () => {
    let signal: AbortSignal | undefined;
    const run = (_job: Job, its: AbortSignal): Promise<void> => {
      signal = its;
      return new Promise((_, reject) => its.addEventListener('abort', () => reject(new Error('aborted'))));
    };
    const node = test.node({ a: jobHandler(run) });
    await test.add(tenant, 'a', 1);
    await node.worker.pump();
    node.clock.advance(10_000);
    await test.database.sql('UPDATE jobs SET lease_until = now()');
    await node.worker.renew();
    const [row] = await test.database.sql<{ renewed: boolean }>(
      `SELECT lease_until > now() + interval '10 seconds' AS renewed FROM jobs`,
    );
    expect(row?.renewed).toBe(true);
    node.clock.advance(10_000);
    await test.database.sql('UPDATE jobs SET fence = fence + 1');
    await node.worker.renew();
    expect(signal?.aborted).toBe(false);
    node.clock.advance(10_000);
    await node.worker.renew();
    expect(signal?.aborted).toBe(true);
    await until(
      () => Promise.resolve(node.ended),
      ([outcome]) => outcome === 'lost',
    );
  });

  it('that ran out under a worker that lives: its job is next, before later ones of its key', async () => {
    const order: unknown[] = [];
    const back = new JobGate();
    const run = async (job: Job, its: AbortSignal): Promise<void> => {
      order.push(job.payload);
      if (order.length > 1) return;
      await once(its, 'abort');
      await back.run(job);
      throw new Error('aborted');
    };
    const node = test.node({ a: jobHandler(run, { concurrency: 1 }) });
    await test.add(tenant, 'a', 2);
    await node.worker.pump();
    // Nothing is renewed while the database is away.
    await test.database.sql('UPDATE jobs SET fence = fence + 1');
    node.clock.advance(20_000);
    await node.worker.renew();
    await test.database.sql('UPDATE jobs SET fence = fence - 1');
    back.open();
    await until(
      async () => {
        await node.worker.pump();
        return test.rows();
      },
      ({ length }) => length === 0,
    );
    expect(order).toEqual([{ i: 0 }, { i: 0 }, { i: 1 }]);
    expect(node.ended).toEqual(['retry', 'done', 'done']);
  });
});
