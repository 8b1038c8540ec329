import { openWithPassphrase, PassphraseError, sealWithPassphrase } from './passphrase-box';

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
