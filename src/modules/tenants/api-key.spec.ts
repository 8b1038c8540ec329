import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { API_KEY_PREFIX } from '../../platform/auth';
import { hashApiKey, isWellFormedApiKey, newApiKey, shownPrefix } from './api-key';

const CHARACTERS = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];

describe('API keys', () => {
  it('are well formed and never the same', () => {
    const keys = Array.from({ length: 500 }, newApiKey);
    expect(new Set(keys).size).toBe(500);
    expect(keys.filter((key) => !isWellFormedApiKey(key))).toEqual([]);
  });

  it('have at least 190 random bits', () => {
    const random = newApiKey().length - API_KEY_PREFIX.length - 6;
    expect(random * Math.log2(62)).toBeGreaterThanOrEqual(190);
  });

  it('use every character about as often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 2000; i++)
      for (const c of newApiKey().slice(API_KEY_PREFIX.length, -6)) counts.set(c, (counts.get(c) ?? 0) + 1);
    const expected = (2000 * 32) / 62;
    // Six standard deviations: a fair draw fails once in hundreds of millions of runs; bytes modulo 62 always would.
    const slack = 6 * Math.sqrt(expected);
    expect(CHARACTERS.filter((c) => Math.abs((counts.get(c) ?? 0) - expected) > slack)).toEqual([]);
  });

  it('no single changed character passes the checksum', () => {
    fc.assert(
      fc.property(fc.nat(37), fc.constantFrom(...CHARACTERS), (at, character) => {
        const key = newApiKey();
        const i = API_KEY_PREFIX.length + at;
        fc.pre(key[i] !== character);
        return !isWellFormedApiKey(key.slice(0, i) + character + key.slice(i + 1));
      }),
    );
  });

  it('two swapped neighbours do not pass the checksum', () => {
    fc.assert(
      fc.property(fc.nat(36), (at) => {
        const key = newApiKey();
        const i = API_KEY_PREFIX.length + at;
        const [a = '', b = ''] = [key[i], key[i + 1]];
        fc.pre(a !== b);
        return !isWellFormedApiKey(key.slice(0, i) + b + a + key.slice(i + 2));
      }),
    );
  });

  it.each(['', 'chatapi_', 'sk_live_abc', `${API_KEY_PREFIX}${'0'.repeat(38)}`, `x${newApiKey()}`, `${newApiKey()}\n`])(
    '%j is none',
    (text) => {
      expect(isWellFormedApiKey(text)).toBe(false);
    },
  );

  it('no text makes the check throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !isWellFormedApiKey(text)));
  });

  it('are hashed with SHA-256 and shown by their beginning', () => {
    const key = newApiKey();
    expect(hashApiKey(key)).toEqual(createHash('sha256').update(key).digest());
    expect(shownPrefix(key)).toBe(key.slice(0, 14));
  });
});
