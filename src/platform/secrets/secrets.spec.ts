import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppConfig, loadConfig } from '../../config';
import { findSecrets, keepSecrets, keyFingerprint, loadSecrets } from '.';

const SET = { MASTER_API_KEY: 'm'.repeat(16), JWT_SECRET: 'j'.repeat(32), ENCRYPTION_KEY: 'a'.repeat(64) };

describe('secrets', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'chatapi-secrets-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const config = (env: Record<string, string> = {}): AppConfig => loadConfig({ DATA_DIR: dataDir, ...env });
  const file = (name: string): string => join(dataDir, 'secrets', name);

  it('are made once, kept in files that only the owner reads, and found again', () => {
    const first = loadSecrets(config());
    expect(first.newMasterKeyFile).toBe(file('master-key'));
    expect(readdirSync(join(dataDir, 'secrets')).sort()).toEqual(['encryption-key', 'jwt-secret', 'master-key']);
    for (const name of ['encryption-key', 'jwt-secret', 'master-key'])
      expect(statSync(file(name)).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'secrets')).mode & 0o777).toBe(0o700);
    const again = loadSecrets(config());
    expect({ ...again, newMasterKeyFile: first.newMasterKeyFile, isNewEncryptionKey: true }).toEqual(first);
    expect([again.newMasterKeyFile, again.isNewEncryptionKey]).toEqual([undefined, false]);
  });

  it('are long, and of the form that the environment would be asked for', () => {
    const { masterKey, jwtSecret, encryptionKey } = loadSecrets(config());
    const asSet = config({ MASTER_API_KEY: masterKey, JWT_SECRET: jwtSecret, ENCRYPTION_KEY: encryptionKey });
    expect(asSet.security).toMatchObject({ masterKey, jwtSecret, encryptionKey });
    expect(masterKey.length).toBeGreaterThanOrEqual(32);
  });

  it('differ between installations', () => {
    const first = loadSecrets(config());
    rmSync(join(dataDir, 'secrets'), { recursive: true });
    const second = loadSecrets(config());
    expect([first.masterKey, first.jwtSecret, first.encryptionKey]).not.toContain(second.masterKey);
    expect(first.jwtSecret).not.toBe(second.jwtSecret);
    expect(first.encryptionKey).not.toBe(second.encryptionKey);
  });

  it('that the environment sets win and are not written', () => {
    const secrets = loadSecrets(config(SET));
    expect(secrets).toEqual({
      masterKey: SET.MASTER_API_KEY,
      jwtSecret: SET.JWT_SECRET,
      encryptionKey: SET.ENCRYPTION_KEY,
      newMasterKeyFile: undefined,
      isNewEncryptionKey: false,
      oldEncryptionKeys: [],
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('in a file that others may read are closed to them', () => {
    mkdirSync(join(dataDir, 'secrets'));
    writeFileSync(file('master-key'), 'kept-from-before\n');
    chmodSync(file('master-key'), 0o644);
    expect(loadSecrets(config()).masterKey).toBe('kept-from-before');
    expect(statSync(file('master-key')).mode & 0o777).toBe(0o600);
  });

  it('leave no half-written file behind, and are made anew from an empty one', () => {
    mkdirSync(join(dataDir, 'secrets'));
    writeFileSync(file('jwt-secret'), '');
    writeFileSync(file('jwt-secret.new'), 'half of a sec');
    const { jwtSecret } = loadSecrets(config());
    expect(jwtSecret.length).toBeGreaterThanOrEqual(32);
    expect(readFileSync(file('jwt-secret'), 'utf8')).toBe(`${jwtSecret}\n`);
    expect(readdirSync(join(dataDir, 'secrets'))).not.toContain('jwt-secret.new');
  });

  it('are found without being made', () => {
    const none = { masterKey: undefined, jwtSecret: undefined, encryptionKey: undefined, oldEncryptionKeys: [] };
    expect(findSecrets(config())).toEqual(none);
    expect(readdirSync(dataDir)).toEqual([]);
    const { masterKey, jwtSecret, encryptionKey } = loadSecrets(config());
    const old = 'b'.repeat(64);
    expect(findSecrets(config({ ENCRYPTION_KEYS_OLD: old }))).toEqual({
      ...{ masterKey, jwtSecret, encryptionKey },
      oldEncryptionKeys: [old],
    });
  });

  it('of another installation are kept where none are, and its keys read beside one that is there', () => {
    const [other, older] = ['c'.repeat(64), 'd'.repeat(64)];
    const brought = { masterKey: 'm2', jwtSecret: 'j2', encryptionKey: other, oldEncryptionKeys: [older] };
    keepSecrets(config(), brought);
    expect(loadSecrets(config())).toMatchObject({ masterKey: 'm2', jwtSecret: 'j2', encryptionKey: other });
    expect(findSecrets(config())).toEqual(brought);
    rmSync(join(dataDir, 'secrets'), { recursive: true });
    keepSecrets(config(SET), brought);
    expect(findSecrets(config(SET))).toMatchObject({
      ...{ masterKey: SET.MASTER_API_KEY, encryptionKey: SET.ENCRYPTION_KEY, oldEncryptionKeys: [other, older] },
    });
    expect(readdirSync(join(dataDir, 'secrets'))).toEqual(['encryption-keys-old']);
    const sealed = loadSecrets(config({ ENCRYPTION_KEY: other }))
      .box()
      .sealSecret('x', '');
    expect(loadSecrets(config(SET)).box().openSecret(sealed, '')).toBe('x');
    expect(sealed.slice(0, 8)).toBe(keyFingerprint(other).slice(0, 8));
  });

  it('in a place that cannot be used are one clear line', () => {
    writeFileSync(join(dataDir, 'secrets'), 'a file where the directory should be');
    expect(() => loadSecrets(config())).toThrow(/^Cannot use .*secrets.*\(\w+\): make DATA_DIR writable/);
  });
});
