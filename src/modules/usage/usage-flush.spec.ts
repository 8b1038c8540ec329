import { SilentLog } from '../../platform/logging';
import { Metrics, Stats } from '../../platform/metrics';
import { UsageFlush } from './usage-flush';
import { type Flushed, UsageFlushRepository } from './usage-flush.repository';

const TENANT = '01900000-0000-7000-8000-000000000001';
const OTHER = '01900000-0000-7000-8000-000000000002';

describe('the flush of what is counted in memory', () => {
  let metrics: Metrics;
  let flush: UsageFlush;
  let open: Record<string, Record<string, number>>;
  let written: Flushed[];
  let isDown: boolean;

  beforeEach(() => {
    metrics = new Metrics(new SilentLog());
    open = {};
    written = [];
    isDown = false;
    const level = (name: string, tenantId?: string): unknown =>
      name === 'connected' ? Object.keys(open) : open[tenantId ?? ''];
    const add = (rows: readonly Flushed[]): Promise<void> => {
      if (isDown) return Promise.reject(new Error('down'));
      written.push(...rows.map(({ tenantId, deliveries, posts, peak }) => ({ tenantId, deliveries, posts, peak })));
      return Promise.resolve();
    };
    flush = new UsageFlush(
      metrics,
      Object.assign(Object.create(Stats.prototype) as Stats, { level }),
      Object.assign(Object.create(UsageFlushRepository.prototype) as UsageFlushRepository, { add }),
    );
  });

  it('writes what came since the one before, and nothing where nothing came', async () => {
    metrics.tenant(TENANT).deliveries += 5;
    metrics.tenant(OTHER).messages += 5;
    await flush.flush();
    metrics.tenant(TENANT).deliveries += 2;
    metrics.tenant(TENANT).posts += 1;
    await flush.flush();
    await flush.flush();
    expect(written).toEqual([
      { tenantId: TENANT, deliveries: 5, posts: 0, peak: 0 },
      { tenantId: TENANT, deliveries: 2, posts: 1, peak: 0 },
    ]);
  });

  it('remembers the most sockets between two, of all paths together', async () => {
    open = { [TENANT]: { '/ws': 2, '/ws/chat': 1 } };
    flush.look();
    open = { [TENANT]: { '/ws': 1, '/ws/chat': 0 }, [OTHER]: { '/ws': 1 } };
    await flush.flush();
    open = {};
    await flush.flush();
    expect(written).toEqual([
      { tenantId: TENANT, deliveries: 0, posts: 0, peak: 3 },
      { tenantId: OTHER, deliveries: 0, posts: 0, peak: 1 },
    ]);
  });

  it('writes with the next one what could not be written', async () => {
    open = { [TENANT]: { '/ws': 4 } };
    metrics.tenant(TENANT).deliveries += 5;
    isDown = true;
    await expect(flush.flush()).rejects.toThrow('down');
    isDown = false;
    open = {};
    metrics.tenant(TENANT).deliveries += 1;
    await flush.flush();
    expect(written).toEqual([{ tenantId: TENANT, deliveries: 6, posts: 0, peak: 4 }]);
  });

  it('writes many tenants in several statements, each once', async () => {
    const ids = Array.from({ length: 1200 }, (_, i) => `tenant ${i}`);
    for (const id of ids) metrics.tenant(id).posts += 1;
    await flush.flush();
    expect(written.map(({ tenantId }) => tenantId)).toEqual(ids);
  });
});
