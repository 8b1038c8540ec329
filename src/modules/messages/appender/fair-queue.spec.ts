import fc from 'fast-check';
import { TenantMix, FairQueue, Quota } from './fair-queue';

describe('TenantMix', () => {
  let now: number;
  let mix: TenantMix;
  const send = (...tenants: string[]): void => tenants.forEach((tenant) => mix.note(tenant));

  beforeEach(() => {
    now = 5000;
    mix = new TenantMix(() => now);
  });

  it('is none for a tenant that sends alone, however much', () => {
    expect(mix.isMixed).toBe(false);
    send('a', 'a', 'a');
    expect(mix.isMixed).toBe(false);
  });

  it('is there as soon as a second one sends, and for a second after it', () => {
    send('a', 'b');
    expect(mix.isMixed).toBe(true);
    send('a', 'a');
    now += 999;
    expect(mix.isMixed).toBe(true);
    send('a');
    now += 1;
    expect(mix.isMixed).toBe(false);
  });

  it('is there again when the other comes back', () => {
    send('a', 'b', 'a');
    now += 60_000;
    expect(mix.isMixed).toBe(false);
    send('b');
    expect(mix.isMixed).toBe(true);
  });
});

const WIDE = { items: 1000, bytes: 1000 };

describe('Quota', () => {
  it.each([
    ['items in all', { items: 2, bytes: 100 }, WIDE],
    ['items of a tenant', WIDE, { items: 2, bytes: 100 }],
    ['bytes in all', { items: 9, bytes: 20 }, WIDE],
    ['bytes of a tenant', WIDE, { items: 9, bytes: 20 }],
  ])('bounds %s', (_name, total, perTenant) => {
    const quota = new Quota(total, perTenant);
    expect([1, 2, 3].map(() => quota.take('a', 10))).toEqual([true, true, false]);
    quota.release('a', 10);
    expect(quota.take('a', 10)).toBe(true);
    expect(quota.take('a', 10)).toBe(false);
  });

  it('lets a tenant that is full not hinder another', () => {
    const quota = new Quota(WIDE, { items: 1, bytes: 100 });
    expect(quota.take('a', 1)).toBe(true);
    expect(quota.take('a', 1)).toBe(false);
    expect(quota.take('b', 1)).toBe(true);
  });

  it('is empty again when all is given back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 50 }))), (wanted) => {
        const quota = new Quota({ items: 10, bytes: 200 }, { items: 6, bytes: 150 });
        const taken = wanted.filter(([tenant, bytes]) => quota.take(tenant, bytes));
        expect(quota.items).toBe(taken.length);
        for (const [tenant, bytes] of taken) quota.release(tenant, bytes);
        expect(quota.items).toBe(0);
        expect(quota.take('a', 150)).toBe(true);
      }),
    );
  });
});

type Item = readonly [tenant: string, n: number];

function filled(sizes: Readonly<Record<string, number>>): FairQueue<Item> {
  const queue = new FairQueue<Item>();
  for (const [tenant, size] of Object.entries(sizes)) for (let n = 0; n < size; n++) queue.push(tenant, [tenant, n]);
  return queue;
}

function take(queue: FairQueue<Item>, count: number): Item[] {
  const taken: Item[] = [];
  queue.drain((item) => {
    if (taken.length >= count) return 'full';
    taken.push(item);
    return 'taken';
  });
  return taken;
}

const sizesOf = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 1, max: 40 }), {
  minKeys: 1,
});

describe('FairQueue', () => {
  it('serves the waiting tenants in turns, whatever the batches', () => {
    fc.assert(
      fc.property(sizesOf, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sizes, batches) => {
        const queue = filled(sizes);
        const served = new Map<string, number>();
        const left = (tenant: string): number => (sizes[tenant] ?? 0) - (served.get(tenant) ?? 0);
        for (const count of batches) {
          for (const [tenant] of take(queue, count)) served.set(tenant, (served.get(tenant) ?? 0) + 1);
          // Among tenants that still wait none is more than one turn ahead of another.
          const turns = Object.keys(sizes)
            .filter((tenant) => left(tenant) > 0)
            .map((tenant) => served.get(tenant) ?? 0);
          if (turns.length > 0) expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('hands out everything once, in the order of arrival within a tenant', () => {
    fc.assert(
      fc.property(sizesOf, fc.integer({ min: 1, max: 10 }), (sizes, count) => {
        const queue = filled(sizes);
        const all: Item[] = [];
        while (queue.size > 0) all.push(...take(queue, count));
        for (const [tenant, size] of Object.entries(sizes))
          expect(all.filter(([of]) => of === tenant).map(([, n]) => n)).toEqual([...Array(size).keys()]);
        expect(all).toHaveLength(Object.values(sizes).reduce((a, b) => a + b, 0));
      }),
    );
  });

  it('lets a newcomer overtake a flood', () => {
    const queue = filled({ flood: 5000 });
    take(queue, 3);
    queue.push('newcomer', ['newcomer', 0]);
    expect(take(queue, 2).map(([tenant]) => tenant)).toContain('newcomer');
  });

  it('leaves queued what did not fit', () => {
    const queue = filled({ a: 2 });
    queue.drain(() => 'full');
    expect(queue.size).toBe(2);
    expect(take(queue, 1)).toEqual([['a', 0]]);
  });

  it('passes over a tenant that has enough for this time', () => {
    fc.assert(
      fc.property(sizesOf, fc.integer({ min: 1, max: 20 }), (sizes, share) => {
        const queue = filled(sizes);
        const all: Item[] = [];
        while (queue.size > 0) {
          const served = new Map<string, number>();
          queue.drain((item) => {
            const count = served.get(item[0]) ?? 0;
            if (count === share) return 'later';
            served.set(item[0], count + 1);
            all.push(item);
            return 'taken';
          });
          for (const [tenant, size] of Object.entries(sizes)) {
            const before = all.filter(([of]) => of === tenant).length - (served.get(tenant) ?? 0);
            expect(served.get(tenant) ?? 0).toBe(Math.min(share, size - before));
          }
        }
        for (const [tenant, size] of Object.entries(sizes))
          expect(all.filter(([of]) => of === tenant).map(([, n]) => n)).toEqual([...Array(size).keys()]);
      }),
    );
  });

  it('keeps the order over thousands of items that come and go', () => {
    const queue = filled({ a: 3000 });
    const first = take(queue, 2500);
    for (let n = 3000; n < 4000; n++) queue.push('a', ['a', n]);
    expect([...first, ...take(queue, 5000)].map(([, n]) => n)).toEqual([...Array(4000).keys()]);
    expect(queue.size).toBe(0);
  });
});
