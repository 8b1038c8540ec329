import { type NodeInfo, MemoryBus, NodeAsks, type NodeRegistry, type NodeQuestion } from '.';
import type { TopicSubscriptions } from './memory-bus';

const DOUBLE: NodeQuestion<number, number> = 'double';

class FakeBus extends MemoryBus {
  override state: 'live' | 'down' = 'live';
}

const infoOf = (nodeId: string): NodeInfo => ({ nodeId, startedAt: new Date(0) });

describe('NodeAsks', () => {
  const ids = ['one', 'two', 'three'];
  let buses: FakeBus[];
  let asks: NodeAsks[];
  let there: string[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask'] });
    const shared: TopicSubscriptions = new Map();
    there = ids;
    buses = ids.map((id) => new FakeBus(id, () => undefined, shared));
    asks = buses.map((bus, i) => new NodeAsks(bus, registryOf(ids[i] ?? '')));
  });
  afterEach(() => {
    for (const one of asks) one.end();
    jest.useRealTimers();
  });

  function registryOf(id: string): NodeRegistry {
    return { self: infoOf(id), nodes: () => Promise.resolve(there.map(infoOf)) } as unknown as NodeRegistry;
  }

  const asked = (n = 21): Promise<{ answers: object; silent: readonly string[] }> =>
    asks[0]?.ask(DOUBLE, n).then(({ answers, silent }) => ({ answers: Object.fromEntries(answers), silent })) ??
    Promise.reject(new Error('there is none'));

  it('brings the answers of all others, and waits no longer than for the last of them', async () => {
    for (const one of asks) one.answer(DOUBLE, (n) => n * 2);
    await expect(asked()).resolves.toEqual({ answers: { two: 42, three: 42 }, silent: [] });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('names after a second who did not answer: because it threw, hung, or does not know the question', async () => {
    asks[1]?.answer(DOUBLE, () => new Promise(() => undefined));
    asks[2]?.answer(DOUBLE, () => Promise.reject(new Error('away')));
    const result = asked();
    await jest.advanceTimersByTimeAsync(1000);
    await expect(result).resolves.toEqual({ answers: {}, silent: ['two', 'three'] });
  });

  it('takes no answer of a question that is over, nor of a node that it did not expect', async () => {
    let late: (n: number) => void = () => undefined;
    asks[1]?.answer(DOUBLE, () => new Promise((resolve) => (late = resolve)));
    asks[2]?.answer(DOUBLE, (n) => n);
    there = ['one', 'two'];
    const result = asked();
    await jest.advanceTimersByTimeAsync(1000);
    await expect(result).resolves.toEqual({ answers: {}, silent: ['two'] });
    late(1);
    await jest.advanceTimersByTimeAsync(10);
  });

  it('does not wait while the bus is down, nor by itself, nor when it ends', async () => {
    const [first] = buses;
    if (first) first.state = 'down';
    await expect(asked()).resolves.toEqual({ answers: {}, silent: ['two', 'three'] });
    if (first) first.state = 'live';
    there = ['one'];
    await expect(asked()).resolves.toEqual({ answers: {}, silent: [] });
    there = ids;
    const result = asked();
    await jest.advanceTimersByTimeAsync(1);
    asks[0]?.end();
    await expect(result).resolves.toEqual({ answers: {}, silent: ['two', 'three'] });
    const alone = new NodeAsks(new MemoryBus('one', () => undefined), registryOf('one'));
    expect((await alone.ask(DOUBLE, 1)).silent).toEqual([]);
  });
});
