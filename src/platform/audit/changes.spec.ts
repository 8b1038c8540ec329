import { AUDIT_ACTIONS, shownUrl } from './actions';
import { changesOf } from './changes';
import { macOf, padsOf } from './chain';
import { createHash } from 'node:crypto';

const RULES = { name: 'shown', scopes: 'shown', at: 'shown', prompt: 'changed', secret: 'secret' } as const;

describe('what is written of a change', () => {
  it('are the fields that differ, each as its rule says', () => {
    const before = { name: 'a', scopes: ['x'], prompt: 'be brief', secret: 'one' };
    const after = { name: 'b', scopes: ['x'], prompt: 'be kind', secret: 'two' };
    expect(changesOf(RULES, before, after)).toEqual({
      before: { name: 'a' },
      after: { name: 'b', prompt: { changed: true }, secret: 'changed' },
    });
  });

  it.each([
    ['is set', { name: 'a' }, { name: 'a', secret: 's' }, 'set'],
    ['is set with what is made', undefined, { secret: 's' }, 'set'],
    ['is cleared', { secret: 's' }, { secret: null }, 'cleared'],
    ['goes with what is deleted', { secret: 's' }, undefined, undefined],
  ])('a secret that %s', (_, before, after, shown) => {
    expect(changesOf(RULES, before, after)?.after?.['secret']).toBe(shown);
  });

  it('is all that is shown of what is made, and of what is deleted', () => {
    const fields = { name: 'a', at: new Date(0), scopes: undefined, prompt: 'be brief' };
    const shown = { name: 'a', at: '1970-01-01T00:00:00.000Z' };
    expect(changesOf(RULES, undefined, fields)).toEqual({
      before: null,
      after: { ...shown, prompt: { changed: true } },
    });
    expect(changesOf(RULES, fields, undefined)).toMatchObject({ before: shown, after: null });
  });

  it('is nothing where nothing differs: a time and its text, null and what is missing', () => {
    const at = new Date(0);
    expect(changesOf(RULES, { name: 'a', at, secret: null }, { name: 'a', at: at.toISOString() })).toBeUndefined();
  });

  it('is a row without fields where an action has none', () => {
    expect(changesOf({}, undefined, undefined)).toEqual({ before: null, after: null });
  });

  it('is no field that has no rule', () => {
    expect(() => changesOf(RULES, undefined, { text: 'a user’s' })).toThrow('no rule says how text is written');
    expect(() => changesOf(RULES, { constructor: 1 }, undefined)).toThrow('constructor');
  });
});

describe('a URL in the log', () => {
  it.each([
    ['https://example.com/hook?token=s3cret#s3cret', 'https://example.com/hook'],
    ['https://user:s3cret@example.com:8443/', 'https://example.com:8443/'],
    ['', ''],
  ])('%s is shown as %j', (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });
});

describe('the mac', () => {
  const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

  // RFC 4231, test cases 1 and 2; and a key as long as the block.
  it.each([
    [Buffer.alloc(20, 0x0b), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      Buffer.from('Jefe'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
  ])('of the pads is HMAC-SHA-256', (key, text, mac) => {
    const { ipad, opad } = padsOf(key);
    expect(sha256(opad, sha256(ipad, Buffer.from(text))).toString('hex')).toBe(mac);
    expect(macOf(key, Buffer.alloc(0), text).toString('hex')).toBe(mac);
  });
});

it('no action shows a secret, or a prompt', () => {
  const shown = Object.entries(AUDIT_ACTIONS).flatMap(([action, { fields }]) =>
    Object.entries(fields)
      .filter(
        ([name, rule]) => /secret|api_key|prompt|options|content|metadata/.test(name) && (rule as string) === 'shown',
      )
      .map(([name]) => `${action}: ${name}`),
  );
  expect(shown).toEqual([]);
});
