import { Batching, TenantBatching } from './batching';

describe('batching', () => {
  it('does what one turn brings together, what comes meanwhile afterwards, and no more than a batch at a time', async () => {
    const batches: number[][] = [];
    const doubled = new Batching<number, number>((items) => {
      batches.push([...items]);
      return Promise.resolve(items.map((item) => item * 2));
    }, 3);
    const first = [1, 2, 3, 4].map((n) => doubled.submit(n));
    await first[0];
    const later = doubled.submit(5);
    expect(await Promise.all([...first, later])).toEqual([2, 4, 6, 8, 10]);
    expect(batches[0]).toEqual([1, 2, 3]);
    expect(batches.flat()).toEqual([1, 2, 3, 4, 5]);
  });

  it('hands out so many results in a turn of the loop', async () => {
    const work = new Batching<number, number>((items) => Promise.resolve(items), 100, 0, 2);
    const turns: number[] = [];
    let turn = 0;
    const each = [1, 2, 3, 4, 5].map((n) => work.submit(n).then(() => turns.push(turn)));
    for (; turns.length < 5; turn++) await new Promise(setImmediate);
    await Promise.all(each);
    expect(turns.filter((n) => n === turns[0])).toHaveLength(2);
    expect(new Set(turns).size).toBe(3);
  });

  it('fails a batch as a whole, and goes on', async () => {
    let n = 0;
    const failing = new Batching<number, number>((items) =>
      n++ === 0 ? Promise.reject(new Error('no')) : Promise.resolve(items),
    );
    const [a, b] = [failing.submit(1), failing.submit(2)];
    await expect(a).rejects.toThrow('no');
    await expect(b).rejects.toThrow('no');
    expect(await failing.submit(3)).toBe(3);
  });
});

/** Work that ends when the test says so. */
function held() {
  const begun: { tenantId: string; items: readonly number[]; end: () => void; fail: (error: Error) => void }[] = [];
  const work = (tenantId: string, items: readonly number[]): Promise<readonly number[]> =>
    new Promise((resolve, reject) => {
      begun.push({ tenantId, items, end: () => resolve(items.map((n) => n * 2)), fail: reject });
    });
  return { begun, work };
}

/** Lets everything go on that does not wait for work. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('batching per tenant', () => {
  it('does a lone item at once, and together what comes meanwhile, at most a batch', async () => {
    const { begun, work } = held();
    const batching = new TenantBatching(work, 3);
    const first = batching.submit('a', 1);
    await settled();
    expect(begun.map(({ items }) => items)).toEqual([[1]]);
    const rest = [2, 3, 4, 5].map((n) => batching.submit('a', n));
    await settled();
    expect(begun).toHaveLength(1);
    expect(batching.pending('a')).toBe(5);
    begun[0]?.end();
    expect(await first).toBe(2);
    await settled();
    begun[1]?.end();
    await settled();
    begun[2]?.end();
    expect(await Promise.all(rest)).toEqual([4, 6, 8, 10]);
    expect(begun.map(({ items }) => items)).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('lets no tenant wait for the work of another, nor mixes their items', async () => {
    const { begun, work } = held();
    const batching = new TenantBatching(work);
    const stuck = batching.submit('a', 1);
    const other = batching.submit('b', 2);
    await settled();
    expect(begun.map(({ tenantId, items }) => [tenantId, items])).toEqual([
      ['a', [1]],
      ['b', [2]],
    ]);
    begun[1]?.end();
    expect(await other).toBe(4);
    expect(batching.pending('a')).toBe(1);
    begun[0]?.end();
    expect(await stuck).toBe(2);
  });

  it('fails a batch as a whole, of its tenant alone, and goes on', async () => {
    const { begun, work } = held();
    const batching = new TenantBatching(work);
    const failing = Promise.allSettled([batching.submit('a', 1), batching.submit('a', 2)]);
    const other = batching.submit('b', 3);
    await settled();
    const next = batching.submit('a', 4);
    begun[0]?.fail(new Error('no'));
    begun[1]?.end();
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await other).toBe(6);
    await settled();
    begun[2]?.end();
    expect(await next).toBe(8);
  });

  describe('of items that may gather', () => {
    const GATHER_MS = 30;
    beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
    afterEach(() => void jest.useRealTimers());

    it('waits a while for more of them, and does them together', async () => {
      const { begun, work } = held();
      const batching = new TenantBatching(work, 3, Infinity, GATHER_MS);
      const all = [1, 2].map((n) => batching.submit('a', n, true));
      await settled();
      jest.advanceTimersByTime(GATHER_MS - 1);
      all.push(batching.submit('a', 3, true));
      await settled();
      expect(begun).toHaveLength(0);
      jest.advanceTimersByTime(1);
      await settled();
      begun[0]?.end();
      expect(await Promise.all(all)).toEqual([2, 4, 6]);
      expect(begun.map(({ items }) => items)).toEqual([[1, 2, 3]]);
      expect(jest.getTimerCount()).toBe(0);
    });

    it('waits no longer when one comes that may not, of the same tenant', async () => {
      const { begun, work } = held();
      const batching = new TenantBatching(work, 3, Infinity, GATHER_MS);
      const patient = batching.submit('a', 1, true);
      void batching.submit('b', 9, true);
      await settled();
      const urgent = batching.submit('a', 2);
      await settled();
      expect(begun.map(({ tenantId, items }) => [tenantId, items])).toEqual([['a', [1, 2]]]);
      begun[0]?.end();
      expect(await Promise.all([patient, urgent])).toEqual([2, 4]);
    });
  });

  it('forgets a tenant without pending items, also after a failure, and never does two batches of one at a time', async () => {
    let atOnce = 0;
    let most = 0;
    const batching = new TenantBatching<number, number>(async (tenantId, items) => {
      most = Math.max(most, ++atOnce);
      await settled();
      atOnce--;
      if (tenantId === 'failing') throw new Error('no');
      return items;
    });
    const again = async (left: number): Promise<void> => {
      // The next item comes in the very turn in which the one before has its result.
      for (let n = 0; n < left; n++) await batching.submit('a', n);
    };
    await Promise.all([again(20), again(30)]);
    expect(most).toBe(1);
    await expect(batching.submit('failing', 1)).rejects.toThrow('no');
    await Promise.all(Array.from({ length: 100 }, (_, n) => batching.submit(`tenant-${n}`, n)));
    expect(batching.size).toBe(0);
    expect(batching.pending('a')).toBe(0);
  });
});
