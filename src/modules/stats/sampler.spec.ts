import { newUuid } from '../../common/ids';
import { StatsFixture } from '../../../test/support/stats-fixture';
import { MOST_TENANTS } from './ring';
import { sampleView } from './views';

const [A, B] = [newUuid(), newUuid()];

describe('a sample', () => {
  let site: StatsFixture;

  beforeEach(() => (site = new StatsFixture()));

  it('says what has happened since the one before, per second, in all and of each tenant', () => {
    site.second();
    site.metrics.tenant(A).refused += 4;
    site.metrics.tenant(B).tokens += 6;
    site.metrics.sent(A, 8, site.clock.monotonicMs());
    site.clock.advance(1000);
    site.second();
    const { figures, tenants } = sampleView(site.sampler.latest);
    expect(figures).toMatchObject({ refused_per_second: 2, tokens_per_second: 3, messages_per_second: 0.5 });
    expect(figures.send_p50_ms).toBeGreaterThanOrEqual(8);
    expect(tenants?.map(({ tokens_per_second: tokens }) => tokens)).toEqual([3, 0]);
    expect(site.sampler.tenantNow(A).numbers).toMatchObject({ refused: 2, messages: 0.5, tokens: 0 });
    site.second();
    expect(sampleView(site.sampler.latest).figures).toMatchObject({ refused_per_second: 0, tokens_per_second: 0 });
    expect(site.ring.read(A, 1)).toMatchObject({ refused: 2 });
    expect(site.ring.read(A, 2)).toMatchObject({ refused: 0 });
  });

  it('has the second as its id, and a greater one whatever the clock does', () => {
    site.second();
    const { id, atMs } = site.sampler.latest;
    expect(id).toBe(Math.floor(atMs / 1000));
    site.clock.advance(-5000);
    site.streams.tick();
    expect(site.sampler.latest.id).toBe(id + 1);
    site.clock.advance(60_000);
    site.streams.tick();
    expect(site.sampler.latest.id).toBe(Math.floor(site.sampler.latest.atMs / 1000));
  });

  it('knows the busiest tenants also beyond the places of the ring', () => {
    for (let i = 0; i < MOST_TENANTS; i++) site.metrics.tenant(newUuid()).messages += 1;
    site.second();
    site.metrics.tenant(A).messages += 100;
    site.second();
    expect(site.ring.read(A, site.ring.newest)).toBeUndefined();
    const { tenants } = site.sampler.latest;
    expect(tenants).toHaveLength(20);
    expect(tenants?.[0]).toMatchObject({ tenantId: A, numbers: { messages: 100 } });
  });

  it('looks at the sockets every five seconds, and asks the database every ten', async () => {
    site.metrics.tenant(A).messages++;
    for (let i = 0; i < 20; i++) {
      site.second();
      await Promise.resolve();
    }
    expect(site.repository.asked).toEqual([undefined, undefined]);
    // Of all and of the one tenant.
    expect(site.parts.queueBytesAsked).toBe(2 * 4);
  });
});

describe('counts', () => {
  it('are asked for once in ten seconds, also by many at once, and the last are given while the database is away', async () => {
    const { counts, repository, clock } = new StatsFixture();
    const [first, second] = await Promise.all([counts.of(A), counts.of(A)]);
    expect(first).toBe(second);
    clock.advance(9999);
    await counts.of(A);
    expect(repository.asked).toEqual([A]);
    expect(await counts.of(B)).not.toBe(first);
    clock.advance(1);
    repository.isAway = true;
    expect(await counts.of(A)).toBe(first);
    expect(counts.latest(A)).toBe(first);
    expect(repository.asked).toEqual([A, B, A]);
    clock.advance(10_000);
    repository.isAway = false;
    expect((await counts.of(A))?.at).toEqual(new Date(clock.wallMs()));
  });

  it('are not known where the database has never told', async () => {
    const { counts, repository } = new StatsFixture();
    repository.isAway = true;
    expect(await counts.of()).toBeUndefined();
    expect(counts.latest()).toBeUndefined();
  });
});

describe('minutes', () => {
  let site: StatsFixture;

  beforeEach(() => {
    site = new StatsFixture();
    site.parts.sockets.set(B, 2);
  });

  it('have a row of each tenant that did something or is connected, and of the node with its peaks', async () => {
    site.metrics.tenant(A).refused += 2;
    site.parts.append = { items: 7, bytes: 1, oldestMs: 5 };
    site.second();
    site.parts.append = { items: 1, bytes: 1, oldestMs: 9 };
    site.metrics.tenant(A).refused += 1;
    site.second();
    await site.minutes.flush();
    expect(site.repository.tenants).toMatchObject([
      { tenant_id: A, refused: 3, connections: 0, online: 1 },
      { tenant_id: B, refused: 0, connections: 2, messages_sent: 0 },
    ]);
    expect(site.repository.servers).toMatchObject([
      { node_id: 'node', refused: 3, connections: 2, online: 9, append_items: 7, append_oldest_ms: 9 },
    ]);
    site.clock.advance(60_000);
    await site.minutes.flush();
    expect(site.repository.tenants.slice(2)).toMatchObject([{ tenant_id: B, connections: 2 }]);
    expect(site.repository.servers[1]).toMatchObject({ refused: 0, append_items: 0 });
    expect(site.repository.purges).toBe(2);
  });

  it('count connections once where a minute is written twice', async () => {
    site.metrics.tenant(B).messages++;
    site.second();
    await site.minutes.flush();
    site.metrics.tenant(B).messages++;
    site.streams.tick();
    await site.minutes.end();
    expect(site.repository.tenants).toMatchObject([
      { tenant_id: B, messages_sent: 1, connections: 2 },
      { tenant_id: B, messages_sent: 1, connections: 0 },
    ]);
  });

  it('that could not be written go into the next rows', async () => {
    site.metrics.tenant(A).messages += 2;
    site.second();
    site.repository.isAway = true;
    await expect(site.minutes.flush()).rejects.toThrow('away');
    site.metrics.tenant(A).messages += 3;
    site.second();
    site.repository.isAway = false;
    await site.minutes.flush();
    expect(site.repository.servers).toMatchObject([{ messages_sent: 5 }]);
    expect(site.repository.tenants.find(({ tenant_id }) => tenant_id === A)?.messages_sent).toBe(5);
  });

  it('of very many tenants are written in parts, each once, also where one fails', async () => {
    for (let i = 0; i < 2500; i++) site.metrics.tenant(newUuid()).messages++;
    site.second();
    const { addTenants } = site.repository;
    const sizes: number[] = [];
    site.repository.addTenants = (rows) => {
      sizes.push(rows.length);
      return sizes.length === 2 ? Promise.reject(new Error('away')) : addTenants.call(site.repository, rows);
    };
    await expect(site.minutes.flush()).rejects.toThrow('away');
    await site.minutes.flush();
    expect(sizes).toEqual([1000, 1000, 1000, 501]);
    expect(new Set(site.repository.tenants.map(({ tenant_id }) => tenant_id)).size).toBe(2501);
    expect(site.repository.tenants.reduce((sum, { messages_sent: n }) => sum + n, 0)).toBe(2500);
  });
});
