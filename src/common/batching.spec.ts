import { Batching } from './batching';

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
