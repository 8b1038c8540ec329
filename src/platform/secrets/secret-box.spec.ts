import { openWithPassphrase, PassphraseError, sealWithPassphrase, SecretBox, UnknownKeyError } from './secret-box';

describe('the passphrase box', () => {
  it('opens what it sealed, with the passphrase and the context alone, and tells nothing of it', async () => {
    const box = await sealWithPassphrase('the key', 'correct horse battery', 'backup 1');
    expect(await openWithPassphrase(box, 'correct horse battery', 'backup 1')).toBe('the key');
    expect(JSON.stringify(box)).not.toContain('the key');
    await expect(openWithPassphrase(box, 'correct horse', 'backup 1')).rejects.toThrow(PassphraseError);
    await expect(openWithPassphrase(box, 'correct horse battery', 'backup 2')).rejects.toThrow(PassphraseError);
    const changed = { ...box, data: `A${box.data.slice(1)}` };
    await expect(openWithPassphrase(changed, 'correct horse battery', 'backup 1')).rejects.toThrow(PassphraseError);
  });

  it('takes one passphrase for the same however it was typed', async () => {
    const box = await sealWithPassphrase('x', 'schl\u00fcssel der welt', '');
    expect(await openWithPassphrase(box, 'schlu\u0308ssel der welt', '')).toBe('x');
  });
});

const [FIRST, SECOND] = ['11'.repeat(32), '22'.repeat(32)];

describe('the secret box', () => {
  it('opens what it sealed, and never seals the same twice', () => {
    const box = new SecretBox(FIRST);
    const sealed = box.sealSecret('whsec_ü', 'tenant 1');
    expect(box.openSecret(sealed, 'tenant 1')).toBe('whsec_ü');
    expect(sealed).not.toContain('whsec');
    expect(box.sealSecret('whsec_ü', 'tenant 1')).not.toBe(sealed);
  });

  it('reads with an old key what that one sealed, and seals with the new one', () => {
    const sealed = new SecretBox(FIRST).sealSecret('secret', '');
    const next = new SecretBox(SECOND, [FIRST]);
    expect(next.openSecret(sealed, '')).toBe('secret');
    expect(new SecretBox(SECOND).openSecret(next.sealSecret('secret', ''), '')).toBe('secret');
    expect(() => new SecretBox(SECOND).openSecret(sealed, '')).toThrow(UnknownKeyError);
  });

  it('refuses what was changed, shortened or moved', () => {
    const box = new SecretBox(FIRST);
    const sealed = box.sealSecret('secret', 'tenant 1');
    const [id = '', iv = '', tag = '', data = ''] = sealed.split('.');
    expect(() => box.openSecret(sealed, 'tenant 2')).toThrow();
    expect(() => box.openSecret([id, iv, tag, `A${data.slice(1)}A`].join('.'), 'tenant 1')).toThrow();
    expect(() => box.openSecret([id, iv, tag.slice(0, 6), data].join('.'), 'tenant 1')).toThrow();
    expect(() => box.openSecret('', 'tenant 1')).toThrow();
  });
});
