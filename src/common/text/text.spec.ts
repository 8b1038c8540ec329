import fc from 'fast-check';
import {
  addressGroup,
  canonicalJson,
  codePoints,
  findUnstorable,
  isStorableText,
  jsonBytes,
  nestsDeeperThan,
  userIdFault,
} from '.';

describe('isStorableText', () => {
  it.each(['', 'hello', '😀', '\uffff\u{10ffff}', '\u0001'])('takes %j', (text) => {
    expect(isStorableText(text)).toBe(true);
  });
  it.each(['\u0000', 'a\u0000', '\ud800', '\udc00', '\udc00\ud800', 'x\ud83d'])('refuses %j', (text) => {
    expect(isStorableText(text)).toBe(false);
  });
  it('is exactly what survives UTF-8 without NUL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const survives = Buffer.from(text).toString() === text && !text.includes('\u0000');
        expect(isStorableText(text)).toBe(survives);
      }),
    );
  });
});

describe('codePoints', () => {
  it('counts as the string iterator does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(codePoints(text)).toBe([...text].length);
      }),
    );
  });
});

describe('nestsDeeperThan', () => {
  function depthOf(value: unknown): number {
    if (typeof value !== 'object' || value === null) return 0;
    return 1 + Math.max(0, ...Object.values(value).map(depthOf));
  }
  it('agrees with the depth of the parsed value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (text, max) => {
        expect(nestsDeeperThan(text, max)).toBe(depthOf(JSON.parse(text)) > max);
      }),
    );
  });
  it('is not fooled by brackets and escapes in strings', () => {
    expect(nestsDeeperThan(JSON.stringify({ a: '[[[[{{{{', b: '\\', c: '"[[[', d: '\\"[' }), 1)).toBe(false);
  });
});

describe('findUnstorable', () => {
  it.each<[unknown, string | undefined]>([
    [{ a: { b: ['x', '\u0000'] } }, 'a.b[1]'],
    [{ a: { '\ud800': 1 } }, 'a'],
    ['\ud800', ''],
    [{ n: [1, Infinity] }, 'n[1]'],
    [{ n: -Infinity }, 'n'],
    [{ a: 'fine', b: [null, true, 1.5, { c: '😀' }] }, undefined],
  ])('of %j is %j', (value, path) => {
    expect(findUnstorable(value)).toBe(path);
  });
});

describe('jsonBytes', () => {
  it('counts bytes of UTF-8, not characters', () => {
    expect(jsonBytes({ a: 'é😀' })).toBe(Buffer.byteLength('{"a":"é😀"}'));
    expect(jsonBytes(undefined)).toBe(0);
  });
});

describe('canonicalJson', () => {
  it('is the same for every order of the keys, and tells different values apart', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        expect(canonicalJson(reversed(a))).toBe(canonicalJson(a));
        const isSame = JSON.stringify(sortedDeep(a)) === JSON.stringify(sortedDeep(b));
        expect(canonicalJson(a) === canonicalJson(b)).toBe(isSame);
      }),
    );
  });
  it('keeps the order of arrays', () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
});

function mapKeys(value: unknown, order: (keys: string[]) => string[]): unknown {
  if (Array.isArray(value)) return value.map((child) => mapKeys(child, order));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  return Object.fromEntries(order(Object.keys(object)).map((key) => [key, mapKeys(object[key], order)]));
}

function reversed(value: unknown): unknown {
  return mapKeys(value, (keys) => keys.reverse());
}

function sortedDeep(value: unknown): unknown {
  return mapKeys(value, (keys) => keys.sort());
}

describe('userIdFault', () => {
  it.each(['a', 'alice@example.com', '!~', 'x'.repeat(128), 'agent', 'Agent_x'])('takes %j', (id) => {
    expect(userIdFault(id)).toBeUndefined();
  });
  it.each(['', 'a b', 'a,b', 'é', '\u007f', '\n', 'x'.repeat(129)])('refuses %j', (id) => {
    expect(userIdFault(id)).toContain('printable ASCII');
  });
  it('keeps agent_ for the server', () => {
    expect(userIdFault('agent_x')).toBe('must not begin with agent_');
  });
});

describe('S6: what stands for an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1:2:3', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%s → %s', (ip, expected) => {
    expect(addressGroup(ip)).toBe(expected);
  });
});
