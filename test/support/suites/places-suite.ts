import type { FullPlaces, PlaceLimits, PlaceOwner, Places } from '../../../src/platform/cluster';
import { type MakeFixture, type PortFixture, testsOf } from './port-fixture';

export const owner = (userId: string, where = '/ws', tenantId = 't'): PlaceOwner => ({ where, tenantId, userId });
export const NO_LIMITS: PlaceLimits = { tenant: null, user: null };

/** What became of so many attempts, one after the other. */
async function takes(
  places: Places,
  who: PlaceOwner,
  limits: PlaceLimits,
  times: number,
): Promise<(FullPlaces | undefined)[]> {
  const all: (FullPlaces | undefined)[] = [];
  for (let i = 0; i < times; i++) all.push(await places.take(who, limits));
  return all;
}

/** What every Places must do. */
export function placesSuite(name: string, make: MakeFixture<PortFixture<Places>>): void {
  describe(`Places: ${name}`, () => {
    const test = testsOf(make);

    test('gives a tenant as many as it may have, whoever of its users asks', async ({ port }) => {
      const limits = { tenant: 3, user: null };
      expect(await takes(port, owner('alice'), limits, 2)).toEqual([undefined, undefined]);
      expect(await takes(port, owner('bob'), limits, 3)).toEqual([undefined, 'tenant', 'tenant']);
      expect(await takes(port, owner('alice', '/ws', 'other'), limits, 1)).toEqual([undefined]);
      expect(await takes(port, owner('alice', '/ws/chat'), limits, 1)).toEqual([undefined]);
      expect([await port.taken('/ws', 't'), await port.taken('/ws', 't', 'alice')]).toEqual([3, 2]);
      expect([await port.taken('/ws', 'other'), await port.taken('/ws', 'none')]).toEqual([1, 0]);
    });

    test('gives a user as many as it may have', async ({ port }) => {
      const limits = { tenant: 10, user: 2 };
      expect(await takes(port, owner('alice'), limits, 3)).toEqual([undefined, undefined, 'user']);
      expect(await takes(port, owner('bob'), limits, 1)).toEqual([undefined]);
      expect(port.fullHere(owner('alice'), limits)).toBe('user');
      expect(port.fullHere(owner('bob'), limits)).toBeUndefined();
    });

    test('gives none where the limit is 0, and any number where there is none', async ({ port }) => {
      expect(await takes(port, owner('alice'), { tenant: 0, user: null }, 1)).toEqual(['tenant']);
      expect(await takes(port, owner('alice'), { tenant: 5, user: 0 }, 1)).toEqual(['user']);
      expect(new Set(await takes(port, owner('alice'), NO_LIMITS, 300))).toEqual(new Set([undefined]));
      expect(await port.taken('/ws', 't')).toBe(300);
    });

    test('gives again what was given back', async ({ port }) => {
      const limits = { tenant: 2, user: 1 };
      await takes(port, owner('alice'), limits, 1);
      await takes(port, owner('bob'), limits, 1);
      port.giveBack(owner('alice'));
      expect(await port.taken('/ws', 't', 'alice')).toBe(0);
      expect(await takes(port, owner('bob'), limits, 1)).toEqual(['user']);
      expect(await takes(port, owner('alice'), limits, 2)).toEqual([undefined, 'tenant']);
    });

    test('gives as many as the limit to many at once', async ({ port }) => {
      const asked = Array.from({ length: 90 }, async (_, i) => port.take(owner(`user ${i}`), { tenant: 30, user: 5 }));
      expect((await Promise.all(asked)).filter((full) => full === undefined)).toHaveLength(30);
      expect(await port.taken('/ws', 't')).toBe(30);
    });
  });
}
