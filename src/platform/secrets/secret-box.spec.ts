import { SecretBox, UnknownKeyError } from './secret-box';

const [FIRST, SECOND] = ['11'.repeat(32), '22'.repeat(32)];

describe('the secret box', () => {
  it('opens what it sealed, and never seals the same twice', () => {
    const box = new SecretBox(FIRST);
    const sealed = box.seal('whsec_ü', 'tenant 1');
    expect(box.open(sealed, 'tenant 1')).toBe('whsec_ü');
    expect(sealed).not.toContain('whsec');
    expect(box.seal('whsec_ü', 'tenant 1')).not.toBe(sealed);
  });

  it('reads with an old key what that one sealed, and seals with the new one', () => {
    const sealed = new SecretBox(FIRST).seal('secret', '');
    const next = new SecretBox(SECOND, [FIRST]);
    expect(next.open(sealed, '')).toBe('secret');
    expect(new SecretBox(SECOND).open(next.seal('secret', ''), '')).toBe('secret');
    expect(() => new SecretBox(SECOND).open(sealed, '')).toThrow(UnknownKeyError);
  });

  it('refuses what was changed, shortened or moved', () => {
    const box = new SecretBox(FIRST);
    const sealed = box.seal('secret', 'tenant 1');
    const [id = '', iv = '', tag = '', data = ''] = sealed.split('.');
    expect(() => box.open(sealed, 'tenant 2')).toThrow();
    expect(() => box.open([id, iv, tag, `A${data.slice(1)}A`].join('.'), 'tenant 1')).toThrow();
    expect(() => box.open([id, iv, tag.slice(0, 6), data].join('.'), 'tenant 1')).toThrow();
    expect(() => box.open('', 'tenant 1')).toThrow();
  });
});
