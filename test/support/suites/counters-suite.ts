import type { Counters } from '../../../src/platform/cluster';
import { type MakeFixture, type PortFixture, testsOf } from './port-fixture';

/** A harness that also tells the wall clock that the counters go by, and starts just after a multiple of 10 s. */
export interface CountersFixture extends PortFixture<Counters> {
  readonly now: () => number;
}

const WINDOW = 1000;
/** That is never reached here. */
const PLENTY = 1_000_000;

/** What every Counters must do. */
export function countersSuite(name: string, make: MakeFixture<CountersFixture>): void {
  describe(`Counters: ${name}`, () => {
    const test = testsOf(make);

    test('counts up from 1, each key for itself', async ({ port }) => {
      expect(await counts(port, 'a', 3)).toEqual([1, 2, 3]);
      expect(await counts(port, 'b', 2)).toEqual([1, 2]);
      expect(await counts(port, 'a', 1)).toEqual([4]);
    });

    test('says when the window ends: at the next multiple of its length', async ({ port, now }) => {
      const { resetAtMs } = await port.take('a', WINDOW, PLENTY);
      expect(resetAtMs % WINDOW).toBe(0);
      expect(resetAtMs).toBeGreaterThan(now() - WINDOW);
      expect(resetAtMs).toBeLessThanOrEqual(now() + WINDOW);
      expect((await port.take('b', WINDOW, PLENTY)).resetAtMs).toBe(resetAtMs);
      expect((await port.take('a', 10 * WINDOW, PLENTY)).resetAtMs % (10 * WINDOW)).toBe(0);
    });

    test('starts again at 1 in the next window', async ({ port, advance }) => {
      const first = await port.take('a', WINDOW, PLENTY);
      await counts(port, 'a', 5);
      await advance(WINDOW);
      expect(await port.take('a', WINDOW, PLENTY)).toEqual({ count: 1, resetAtMs: first.resetAtMs + WINDOW });
    });

    test('does not start again within a window', async ({ port, advance }) => {
      await counts(port, 'a', 5, 10 * WINDOW);
      await advance(5 * WINDOW);
      expect(await counts(port, 'a', 1, 10 * WINDOW)).toEqual([6]);
    });

    test('the same key with another window length is another counter', async ({ port }) => {
      await counts(port, 'a', 5, WINDOW);
      expect(await counts(port, 'a', 1, 10 * WINDOW)).toEqual([1]);
    });

    countSuite(test);
    limitSuite(test);

    test('loses no call of many at once', async ({ port }) => {
      const states = await Promise.all(Array.from({ length: 200 }, async () => port.take('a', 10 * WINDOW, PLENTY)));
      expect(states.map((s) => s.count).sort((a, b) => a - b)).toEqual(states.map((_, i) => i + 1));
    });
  });
}

/** What it says without counting. */
function countSuite(test: ReturnType<typeof testsOf<CountersFixture>>): void {
  test('tells what was counted without counting', async ({ port, advance }) => {
    expect(await port.count('a', WINDOW)).toBe(0);
    await counts(port, 'a', 3);
    await counts(port, 'a', 2, 10 * WINDOW);
    expect([await port.count('a', WINDOW), await port.count('a', WINDOW)]).toEqual([3, 3]);
    expect([await port.count('a', 10 * WINDOW), await port.count('b', WINDOW)]).toEqual([2, 0]);
    await advance(WINDOW);
    expect(await port.count('a', WINDOW)).toBe(0);
    expect(await counts(port, 'a', 1)).toEqual([1]);
  });
}

/** What the limit has to do with it. */
function limitSuite(test: ReturnType<typeof testsOf<CountersFixture>>): void {
  test('takes as many as the limit, of many one after the other; the first that is refused is one more', async ({
    port,
    advance,
  }) => {
    expect(await counts(port, 'a', 6, WINDOW, 4)).toEqual([1, 2, 3, 4, 5, 6]);
    await advance(WINDOW);
    expect(await counts(port, 'a', 1, WINDOW, 4)).toEqual([1]);
    expect(await counts(port, 'none', 2, WINDOW, 0)).toEqual([1, 2]);
  });

  test('takes as many as the limit, of many at once', async ({ port }) => {
    const states = await Promise.all(Array.from({ length: 200 }, async () => port.take('a', 10 * WINDOW, 120)));
    expect(states.filter(({ count }) => count <= 120)).toHaveLength(120);
  });

  test('goes by the limit that it is told, which may change within a window', async ({ port }) => {
    expect(await counts(port, 'a', 10, WINDOW, 100)).toHaveLength(10);
    for (const count of await counts(port, 'a', 3, WINDOW, 5)) expect(count).toBeGreaterThan(5);
    for (const count of await counts(port, 'a', 3, WINDOW, 0)) expect(count).toBeGreaterThan(0);
    const [more] = await counts(port, 'a', 1, WINDOW, 100);
    expect(more).toBeGreaterThan(10);
    expect(more).toBeLessThanOrEqual(100);
  });
}

async function counts(
  counters: Counters,
  key: string,
  times: number,
  windowMs = WINDOW,
  limit = PLENTY,
): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push((await counters.take(key, windowMs, limit)).count);
  return all;
}
