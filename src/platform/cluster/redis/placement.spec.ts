import { Placement } from './placement';

const NAMES = ['redis-a:6379', 'redis-b:6379', 'redis-c:6379'];
const ADDRESSES = Array.from({ length: 500 }, (_, n) => `r:t/${n}`);

/** Which Redis each address lies on, by its name. */
function namesOf(names: readonly string[]): (string | undefined)[] {
  const placement = new Placement(names);
  return [undefined, ...ADDRESSES].map((address) => names[placement.placed[placement.of(address)]?.instance ?? -1]);
}

describe('Placement', () => {
  it('puts all lanes on the only Redis', () => {
    const { placed } = new Placement(['redis:6379']);
    expect(placed).toEqual([{ instance: 0, lanes: Array.from({ length: 16 }, (_, n) => n) }]);
  });

  it('spreads the lanes over several, the same for any order of their names', () => {
    const { placed } = new Placement(NAMES);
    expect(placed.flatMap(({ lanes }) => lanes).sort((a, b) => a - b)).toHaveLength(16);
    expect(new Set(namesOf(NAMES)).size).toBe(3);
    expect(namesOf([...NAMES].reverse())).toEqual(namesOf(NAMES));
  });

  it('moves nothing but to a Redis that is new', () => {
    const [before, after] = [namesOf(NAMES), namesOf([...NAMES, 'redis-d:6379'])];
    for (const [n, name] of after.entries()) expect([before[n], 'redis-d:6379']).toContain(name);
    expect(after).toContain('redis-d:6379');
  });
});
