import fc from 'fast-check';
import { pageInfo, pageRequest } from './limits';

describe('pages', () => {
  it('have 50 items from the start unless said otherwise', () => {
    expect(pageRequest({})).toEqual({ limit: 50, offset: 0 });
    expect(pageRequest({ limit: 1, offset: 7 })).toEqual({ limit: 1, offset: 7 });
  });

  it('followed while has_more show every item once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 100 }), (total, limit) => {
        const items = [...Array(total).keys()];
        const seen: number[] = [];
        let info = { has_more: true };
        while (info.has_more) {
          const page = pageRequest({ limit, offset: seen.length });
          const returned = items.slice(page.offset, page.offset + page.limit);
          seen.push(...returned);
          info = pageInfo(page, returned.length, total);
          expect(info).toMatchObject({ total, limit });
        }
        expect(seen).toEqual(items);
      }),
    );
  });

  it('beyond the end are empty and have no more', () => {
    expect(pageInfo({ limit: 10, offset: 90 }, 0, 20)).toEqual({ total: 20, offset: 90, limit: 10, has_more: false });
  });
});
