import { inOrder } from './channel-choice';

const channel = (name: string, priority: number, weight = 1) => ({ name, priority, weight });
const namesOf = (channels: readonly { name: string }[]): string => channels.map(({ name }) => name).join('');

/** The same numbers for the same seed, evenly from 0 to below 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

describe('the order of channels', () => {
  it('is that of their priorities, whatever the chance', () => {
    const channels = [channel('c', 20, 1000), channel('a', 0), channel('b', 10)];
    for (const random of [() => 0, () => 0.999_999]) expect(namesOf(inOrder(channels, random))).toBe('abc');
  });

  it('is by chance among equals, in proportion to their weights', () => {
    const random = seeded(42);
    const firsts = { a: 0, b: 0 };
    for (let i = 0; i < 10_000; i++) {
      const [first] = inOrder([channel('a', 0, 3), channel('b', 0, 1)], random);
      firsts[first?.name as 'a' | 'b']++;
    }
    expect(firsts.a / 10_000).toBeCloseTo(0.75, 1);
  });

  it('a weight of 0 comes after all others of its priority', () => {
    const random = seeded(7);
    for (let i = 0; i < 1000; i++)
      expect(namesOf(inOrder([channel('z', 0, 0), channel('a', 0), channel('y', 1)], random))).toBe('azy');
  });

  it('knows what to do with two of weight 0', () => {
    expect(namesOf(inOrder([channel('a', 0, 0), channel('b', 0, 0)], () => 0))).toHaveLength(2);
  });
});
