import { owner, NO_LIMITS, placesSuite } from '../../../test/support/suites/places-suite';
import { MemoryPlaces } from '.';

placesSuite('memory', () => ({ port: new MemoryPlaces(), advance: () => undefined, close: () => undefined }));

describe('MemoryPlaces', () => {
  it('answers at once, and keeps nothing of whoever has no place', () => {
    const places = new MemoryPlaces();
    expect(places.take(owner('alice'), { tenant: 1, user: 1 })).toBeUndefined();
    expect(places.take(owner('alice'), { tenant: 1, user: 1 })).toBe('tenant');
    expect([...places.all()]).toMatchObject([{ where: '/ws', tenantId: 't', total: 1 }]);
    places.giveBack(owner('alice'));
    expect([...places.all()]).toEqual([]);
  });

  it('says where a place is given back that nobody has', () => {
    const places = new MemoryPlaces();
    places.take(owner('alice'), NO_LIMITS);
    expect(() => places.giveBack(owner('bob'))).toThrow('was not taken');
  });
});
