import fc from 'fast-check';
import { JsonRefused, parseJson } from './validator';

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

describe('parseJson', () => {
  it('parses what JSON.parse parses', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        fc.pre(!/__proto__|constructor/.test(text));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('throws nothing but JsonRefused, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0_proto__ntrue1e'), maxLength: 60 }), (text) => {
        try {
          parseJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonRefused);
        }
      }),
    );
  });

  it.each([
    ['broken', '{"a":'],
    ['trailing', '{} {}'],
    ['empty', ''],
    ['no JSON', 'hello'],
    ['with a byte order mark', '\ufeff{}'],
    ['with __proto__', '{"a":[{"__proto__":1}]}'],
    ['with an escaped __proto__', String.raw`{"\u005f_proto__":{}}`],
    ['with constructor.prototype', '{"constructor":{"prototype":{}}}'],
  ])('refuses text that is %s', (_name, text) => {
    expect(() => parseJson(text)).toThrow(JsonRefused);
  });

  it('takes the word constructor as a key of its own, and __proto__ in a string', () => {
    expect(parseJson('{"constructor":"Ferrari","a":"__proto__"}')).toEqual({ constructor: 'Ferrari', a: '__proto__' });
  });

  it('takes 32 levels and refuses 33, or as many as are asked for', () => {
    expect(parseJson(nested(32))).toBeInstanceOf(Array);
    expect(() => parseJson(nested(33))).toThrow('nests deeper than 32 levels');
    expect(parseJson(nested(3), 3)).toBeInstanceOf(Array);
    expect(() => parseJson(nested(4), 3)).toThrow('nests deeper than 3 levels');
    expect(() => parseJson(nested(100_000))).toThrow(JsonRefused);
    expect(() => parseJson('{"a":'.repeat(50_000))).toThrow('nests deeper');
  });

  it('S12: refuses a number that would come back as another one, and names it', () => {
    const refuse = (text: string): unknown => {
      try {
        return parseJson(text);
      } catch (error) {
        return error;
      }
    };
    const refused = refuse('{"meta":{"id":9007199254740993},"request_id":"r"}');
    expect(refused).toBeInstanceOf(JsonRefused);
    expect(refused).toMatchObject({ field: 'meta.id', value: { request_id: 'r' } });
    expect(parseJson('{"meta":{"id":"9007199254740993"}}')).toEqual({ meta: { id: '9007199254740993' } });
  });
});
