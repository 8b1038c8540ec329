import { StatsFixture } from '../../../test/support/stats-fixture';
import { newUuid } from '../../common/ids';
import { MemoryBus } from '../../platform/cluster';
import type { TopicSubscriptions } from '../../platform/cluster/memory-bus';
import { TOLD_TENANTS } from './peers';
import { sampleView } from './views';

const [A, B] = [newUuid(), newUuid()];

describe('samples of several nodes', () => {
  let one: StatsFixture;
  let two: StatsFixture;

  beforeEach(() => {
    const shared: TopicSubscriptions = new Map();
    const make = (id: string): StatsFixture => new StatsFixture(id, new MemoryBus(id, () => undefined, shared));
    [one, two] = [make('one'), make('two')];
  });

  /** Both take a sample; then the first takes another one, with what it heard. */
  async function second(): Promise<void> {
    for (const site of [one, two]) site.second();
    await Promise.resolve();
    one.second();
  }

  it('are about all of them: sums, and the worst of times', async () => {
    one.parts.sockets.set(A, 2);
    two.parts.sockets.set(A, 3);
    two.parts.append = { items: 4, bytes: 10, oldestMs: 7 };
    one.parts.append = { items: 1, bytes: 1, oldestMs: 9 };
    two.metrics.sent(A, 64, two.clock.monotonicMs());
    await second();
    const { figures, nodes } = sampleView(one.sampler.latest);
    expect(figures).toMatchObject({ connections: { ws: 5 }, append: { items: 5, bytes: 11, oldest_ms: 9 } });
    expect(figures.send_p99_ms).toBeGreaterThanOrEqual(64);
    expect(nodes?.map(({ node_id }) => node_id)).toEqual(['one', 'two']);
    await Promise.resolve();
    two.second();
    expect(sampleView(two.sampler.latest).figures.connections.ws).toBe(5);
  });

  it('know tenants that are busy elsewhere alone, also one by itself', async () => {
    two.metrics.tenant(B).messages += 5;
    await second();
    const { tenants } = one.sampler.latest;
    expect(tenants).toMatchObject([{ tenantId: B, numbers: { messages: 5 } }]);
    expect(one.sampler.tenantNow(B).numbers).toMatchObject({ messages: 5, online: 2 });
    expect(one.sampler.tenantNow(A).numbers).toMatchObject({ messages: 0, online: 1 });
  });

  it('are told of the busiest tenants alone', async () => {
    for (let i = 0; i < TOLD_TENANTS + 50; i++) two.metrics.tenant(newUuid()).messages += 1;
    two.metrics.tenant(B).messages += 2;
    await second();
    expect(one.sampler.latest.tenants).toHaveLength(20);
    expect(one.sampler.latest.tenants?.[0]).toMatchObject({ tenantId: B });
    expect(one.sampler.latest.numbers.messages).toBe(TOLD_TENANTS + 52);
  });

  it('leave out who has said nothing for five seconds, and keep its minutes to each', async () => {
    two.metrics.tenant(B).messages += 5;
    await second();
    await one.minutes.flush();
    expect(one.repository.servers).toMatchObject([{ node_id: 'one', messages_sent: 0 }]);
    for (let i = 0; i < 6; i++) one.second();
    expect(sampleView(one.sampler.latest)).toMatchObject({ nodes: [{ node_id: 'one' }], tenants: [] });
  });

  it('of a process by itself are its own, and nothing is published', async () => {
    const bus = new MemoryBus('alone', () => undefined);
    const published: string[] = [];
    bus.publish = (topic) => void published.push(topic);
    const alone = new StatsFixture('alone', bus);
    alone.second();
    await Promise.resolve();
    expect(published).toEqual([]);
    expect(alone.sampler.latest.nodes).toHaveLength(1);
  });
});
