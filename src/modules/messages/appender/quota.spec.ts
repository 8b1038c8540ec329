import fc from 'fast-check';
import { Quota } from './quota';

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
