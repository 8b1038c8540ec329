import fc from 'fast-check';
import {
  addressGroup,
  canonicalJson,
  codePoints,
  findUnstorable,
  isStorableText,
  jsonBytes,
  glanceAt,
  findInexactNumber,
  firstGraphemes,
  isBlank,
  preview,
  userIdFault,
} from './text';

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

describe('glanceAt', () => {
  function depthOf(value: unknown): number {
    if (typeof value !== 'object' || value === null) return 0;
    return 1 + Math.max(0, ...Object.values(value).map(depthOf));
  }
  it('agrees with the depth of the parsed value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (text, max) => {
        expect(glanceAt(text, max) === 'deep').toBe(depthOf(JSON.parse(text)) > max);
      }),
    );
  });
  it('is not fooled by brackets and escapes in strings', () => {
    expect(glanceAt(JSON.stringify({ a: '[[[[{{{{', b: '\\', c: '"[[[', d: '\\"[' }), 1)).toBeUndefined();
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

describe('S12: numbers that a double does not hold', () => {
  it.each([
    ['{"id": 9007199254740993}', 'id'],
    ['{"a":{"b":[1,{"c":9007199254740993}]}}', 'a.b[1].c'],
    ['[[0],[1,12345678901234567890]]', '[1][1]'],
    ['9007199254740993', ''],
    ['{"a":"9007199254740993","b":-9007199254740993}', 'b'],
    ['{"a":1e400}', 'a'],
    ['{"a":-1E+400}', 'a'],
    ['{"a":1e-400}', 'a'],
    ['{"a":0.1000000000000000055511151231257827}', 'a'],
    ['{"a":100000000000000000000001}', 'a'],
    [String.raw`{"q\"{":1,"\u0062":9007199254740993}`, 'b'],
    ['{"a":[],"b":{},"c":[{}],"d":9007199254740993}', 'd'],
    ['[{"a":1},{"a":9007199254740993}]', '[1].a'],
  ])('%s is noticed at a glance and found at %j', (text, path) => {
    expect(glanceAt(text, 32)).toBe('numbers');
    expect(findInexactNumber(text)).toBe(path);
  });

  it.each([
    '{"id":9007199254740991}',
    '{"id":9007199254740992}',
    '{"a":0.1,"b":-0,"c":1.0,"d":1e21,"e":1E-7,"f":100000000000000000000}',
    '{"a":"12345678901234567890 1e400","b":true,"c":false,"d":null}',
    '[0.30000000000000004,1.7976931348623157e308,5e-324]',
  ])('%s is exact', (text) => {
    expect(findInexactNumber(text)).toBeUndefined();
  });

  it('what JavaScript writes is exact; what passes the glance is too', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        expect(findInexactNumber(text)).toBeUndefined();
      }),
    );
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,19})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
    fc.assert(
      fc.property(digits, (number) => {
        const text = `{"a":[${number}]}`;
        const isKept = scaled(number) === scaled(JSON.stringify(Number(number)));
        expect(findInexactNumber(text)).toBe(isKept ? undefined : 'a[0]');
        if (!isKept) expect(glanceAt(text, 32)).toBe('numbers');
      }),
    );
  });
});

/** A decimal literal as a whole number of 10^-400, or as it is where it is none. */
function scaled(literal: string): bigint | string {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  if (whole === undefined) return literal;
  const shift = 1100 + Number(exponent) - fraction.length;
  return BigInt(`${sign}${whole}${fraction}`) * 10n ** BigInt(shift);
}

describe('A12: what can be seen of a text', () => {
  it.each(['', ' ', '\n\t', '\u200b', '\u2800', '\u202e\u2066', '\u00ad\ufe0f'])('%j is blank', (text) => {
    expect(isBlank(text)).toBe(true);
  });

  it.each(['a', ' a', '\u200ba', '.', '\u0301', '👍', '\u0600', '한'])('%j is not', (text) => {
    expect(isBlank(text)).toBe(false);
  });

  it('is cut between characters as people count them', () => {
    const family = '👨‍👩‍👧‍👦';
    expect(firstGraphemes(family.repeat(3), 2)).toBe(family.repeat(2));
    expect(firstGraphemes('abc', 2)).toBe('ab');
    expect(firstGraphemes('e\u0301e\u0301', 1)).toBe('e\u0301');
    expect(firstGraphemes('a\r\nb', 2)).toBe('a\r\n');
    expect(preview('x'.repeat(280))).toEqual({ text: 'x'.repeat(280), truncated: false });
    expect(preview('x'.repeat(281))).toEqual({ text: 'x'.repeat(280), truncated: true });
    expect(preview(`a${'\u0301'.repeat(5000)}`.slice(0, 4096)).truncated).toBe(true);
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
