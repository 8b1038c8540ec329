import { newUuid } from '../../common/ids';
import { askedPage, cursorOf, pageOf } from './list-cursor';

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the cursor of a list', () => {
  it('names the last item of a page, and none where nothing comes after it', () => {
    const rows = [1, 2, 3].map((n) => ({ n }));
    const page = pageOf(
      rows,
      2,
      ({ n }) => [n],
      ({ n }) => `item ${n}`,
    );
    expect(page.items).toEqual(['item 1', 'item 2']);
    expect(askedPage({ cursor: page.next ?? '' }, ['integer'])).toEqual({ limit: 50, after: [2] });
    for (const few of [rows.slice(0, 2), rows.slice(0, 1), []])
      expect(
        pageOf(
          few,
          2,
          ({ n }) => [n],
          ({ n }) => n,
        ).next,
      ).toBeNull();
  });

  it('is read back as it was, whatever stands in it', () => {
    for (const text of ['', 'alice', 'Zoë 🦊', '"],[', '\ufeffmark'])
      expect(askedPage({ limit: 7, cursor: cursorOf([text, newUuid(), 0]) }, ['text', 'uuid', 'integer'])).toEqual({
        limit: 7,
        after: [text, expect.stringMatching(/^[0-9a-f-]{36}$/), 0],
      });
  });

  it.each([
    ['2026-01-31T12:00:00.000Z', true],
    ['2026-01-31T12:00:00Z', false],
    ['2026-02-31T12:00:00.000Z', false],
    ['yesterday', false],
    ['', false],
  ])('takes %j as a time: %s', (time, isTaken) => {
    const read = (): unknown => askedPage({ cursor: cursorOf([time]) }, ['time']).after;
    if (isTaken) expect(read()).toEqual([time]);
    else expect(read).toThrow(expect.objectContaining({ field: 'cursor' }) as Error);
  });

  it('is missing at the beginning', () => {
    expect(askedPage({}, ['uuid'])).toEqual({ limit: 50, after: undefined });
  });

  it.each<[string, string]>([
    ['no base64url', 'not a cursor!'],
    ['base64 of the other kind', `${encoded(['??>'])}==`],
    ['bits after the last byte', 'WzFdX'],
    ['nothing', ''],
    ['no UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]).toString('base64url')],
    ['no JSON', Buffer.from('[1').toString('base64url')],
    ['a mark before the JSON', Buffer.from('\ufeff[1]').toString('base64url')],
    ['no list', encoded({ 0: 1, length: 1 })],
    ['null', encoded(null)],
    ['another number of parts', encoded([1, 2])],
    ['a text for a number', encoded(['1'])],
    ['a fraction', encoded([1.5])],
    ['less than nothing', encoded([-1])],
    ['more than is counted', encoded([2 ** 53])],
  ])('is refused: %s', (_, cursor) => {
    expect(() => askedPage({ cursor }, ['integer'])).toThrow(
      expect.objectContaining({ code: 'VALIDATION_ERROR', field: 'cursor' }) as Error,
    );
  });

  it.each<[string, unknown]>([
    ['what PostgreSQL does not store', ['a\u0000', newUuid()]],
    ['half a character', ['\ud800', newUuid()]],
    ['no uuid', ['a', 'b']],
    ['a uuid in capitals', ['a', newUuid().toUpperCase()]],
    ['the cursor of another list', [newUuid(), 'a']],
  ])('is refused where its parts are others: %s', (_, key) => {
    expect(() => askedPage({ cursor: encoded(key) }, ['text', 'uuid'])).toThrow(
      expect.objectContaining({ field: 'cursor' }) as Error,
    );
  });
});
