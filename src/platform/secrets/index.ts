/**
 * Secrets that the operator did not set are made once and kept in 0600 files under DATA_DIR/secrets. What the
 * environment sets wins and is not written to disk.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../common/make-directory';
import type { AppConfig } from '../../config';
import { SecretBox } from './secret-box';

export { openWithPassphrase, type PassphraseBox, PassphraseError, sealWithPassphrase, SecretBox } from './secret-box';

interface SecretFingerprints {
  readonly jwtSecret: string;
  readonly encryptionKey: string;
  readonly oldEncryptionKeys: readonly string[];
}

export class Secrets {
  constructor(
    /** Opens /admin/* of every tenant. */
    readonly masterKey: string,
    /** Signs user tokens and socket tickets (HS256). */
    readonly jwtSecret: string,
    /** 32 bytes as hex; encrypts what is secret at rest. */
    readonly encryptionKey: string,
    /** Where the master key was written by this start, to be shown once; undefined when it was there before. */
    readonly newMasterKeyFile: string | undefined,
    /** Keys that no longer encrypt and still read, as hex. */
    private readonly oldEncryptionKeys: readonly string[] = [],
    /** This start made the encryption key: no other one can have been meant. */
    readonly isNewEncryptionKey = false,
  ) {}

  /** Encrypts with the key in force, reads with the old ones too. */
  box(): SecretBox {
    return new SecretBox(this.encryptionKey, this.oldEncryptionKeys);
  }

  /**
   * By which servers know that they have the same secrets; no secret can be found from them, and those of another
   * installation are others. 64 hex digits each.
   */
  fingerprints(instanceId: string): SecretFingerprints {
    const of = (secret: string | Buffer): string =>
      createHmac('sha256', secret).update(`fingerprint ${instanceId}`).digest('hex');
    const ofKey = (hex: string): string => of(Buffer.from(hex, 'hex'));
    return {
      jwtSecret: of(this.jwtSecret),
      encryptionKey: ofKey(this.encryptionKey),
      oldEncryptionKeys: this.oldEncryptionKeys.map(ofKey),
    };
  }

  /** The key in force of a tenant's audit chain, and its name; that of another tenant cannot be found from it. */
  auditKey(tenantId: string): { readonly keyId: string; readonly key: Buffer } {
    return { keyId: auditKeyId(this.encryptionKey), key: auditKeyOf(this.encryptionKey, tenantId) };
  }

  /** The key of that name, in force or an old one; undefined: it is none of ours. */
  knownAuditKey(tenantId: string, keyId: string): Buffer | undefined {
    const known = this.keyNamed(keyId);
    return known === undefined ? undefined : auditKeyOf(known, tenantId);
  }

  /** The name of the key in force, with which persons are hashed. */
  get personKeyId(): string {
    return auditKeyId(this.encryptionKey);
  }

  /** What stands for a person who is to be known again and not to be named, 32 bytes. undefined: the key is none of ours. */
  personMac(tenantId: string, userId: string, keyId: string): Buffer | undefined {
    const known = this.keyNamed(keyId);
    return known === undefined
      ? undefined
      : createHmac('sha256', Buffer.from(known, 'hex')).update(`person ${tenantId} ${userId}`).digest();
  }

  private keyNamed(keyId: string): string | undefined {
    return [this.encryptionKey, ...this.oldEncryptionKeys].find((hex) => auditKeyId(hex) === keyId);
  }
}

function auditKeyId(hex: string): string {
  return keyFingerprint(hex).slice(0, 8);
}

/** 32 bytes. */
function auditKeyOf(hex: string, tenantId: string): Buffer {
  return createHmac('sha256', Buffer.from(hex, 'hex')).update(`audit ${tenantId}`).digest();
}

/** What of an installation's secrets is there, none made. */
export interface FoundSecrets {
  readonly masterKey: string | undefined;
  readonly jwtSecret: string | undefined;
  readonly encryptionKey: string | undefined;
  readonly oldEncryptionKeys: readonly string[];
}

const FILES = { masterKey: 'master-key', jwtSecret: 'jwt-secret', encryptionKey: 'encryption-key' } as const;
/** Keys that came with a backup; ENCRYPTION_KEYS_OLD adds to them. */
const OLD_KEYS = 'encryption-keys-old';

/** The secrets that the environment sets or DATA_DIR/secrets holds. */
export function findSecrets(config: AppConfig): FoundSecrets {
  const directory = secretsDirectory(config);
  const found = (name: keyof typeof FILES): string | undefined =>
    config.security[name] ?? read(join(directory, FILES[name]));
  return {
    masterKey: found('masterKey'),
    jwtSecret: found('jwtSecret'),
    encryptionKey: found('encryptionKey'),
    oldEncryptionKeys: oldKeys(config),
  };
}

/** Puts secrets of another installation where the server finds them; what is there already stays. */
export function keepSecrets(config: AppConfig, secrets: FoundSecrets): void {
  const directory = secretsDirectory(config);
  const here = findSecrets(config);
  for (const name of ['masterKey', 'jwtSecret', 'encryptionKey'] as const) {
    const value = secrets[name];
    if (here[name] === undefined && value !== undefined) write(join(directory, FILES[name]), value);
  }
  const known = new Set([...here.oldEncryptionKeys, here.encryptionKey ?? secrets.encryptionKey]);
  const old = [secrets.encryptionKey, ...secrets.oldEncryptionKeys].filter(
    (key) => key !== undefined && !known.has(key),
  );
  if (old.length > 0) write(join(directory, OLD_KEYS), [...here.oldEncryptionKeys, ...old].join('\n'));
}

/** Names a key without telling it: what is encrypted with it begins with the first eight digits. */
export function keyFingerprint(hex: string): string {
  return createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex').slice(0, 16);
}

/** Reads or makes the secrets. Throws a plain error with one line when the directory is not usable. */
export function loadSecrets(config: AppConfig): Secrets {
  const directory = secretsDirectory(config);
  const { masterKey, jwtSecret, encryptionKey } = config.security;
  const master =
    masterKey === undefined
      ? stored(directory, FILES.masterKey, () => `master_${randomBytes(24).toString('base64url')}`)
      : undefined;
  const madeKey = encryptionKey === undefined ? storedKey(directory) : undefined;
  return new Secrets(
    masterKey ?? master?.value ?? '',
    jwtSecret ?? stored(directory, FILES.jwtSecret, () => randomBytes(48).toString('base64url')).value,
    encryptionKey ?? madeKey?.value ?? '',
    master?.made ? master.file : undefined,
    oldKeys(config),
    madeKey?.made,
  );
}

/** Keeps a key that the operator has to find: replaces what is there. Returns the file. */
export function keepSecret(config: AppConfig, name: string, value: string): string {
  const file = join(secretsDirectory(config), name);
  write(file, value);
  return file;
}

/** Made by an earlier start, so whatever else stands there now is damage: a new one would lose what it has encrypted. */
function storedKey(directory: string): { value: string; made: boolean } {
  const { value, file, made } = stored(directory, FILES.encryptionKey, () => randomBytes(32).toString('hex'));
  if (/^[0-9a-f]{64}$/i.test(value)) return { value, made };
  throw new Error(`${file} holds no encryption key (64 hex digits): put the former one back, or set ENCRYPTION_KEY`);
}

function secretsDirectory(config: AppConfig): string {
  return join(config.database.dataDir, 'secrets');
}

function oldKeys(config: AppConfig): string[] {
  const kept = read(join(secretsDirectory(config), OLD_KEYS))?.split('\n') ?? [];
  return [...new Set([...config.security.oldEncryptionKeys, ...kept])];
}

function stored(directory: string, name: string, make: () => string): { value: string; file: string; made: boolean } {
  const file = join(directory, name);
  const found = read(file);
  if (found !== undefined) return { value: found, file, made: false };
  const value = make();
  write(file, value);
  return { value, file, made: true };
}

function read(file: string): string | undefined {
  try {
    const value = readFileSync(file, 'utf8').trim();
    if (value.length === 0) return undefined;
    chmodSync(file, 0o600);
    return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(file, error);
    return undefined;
  }
}

function write(file: string, value: string): void {
  const directory = dirname(file);
  try {
    makeDirectory(directory, 0o700);
    // Written aside, synced and renamed: a crash leaves either no secret or a whole one, and what was encrypted with
    // it later is never left without its key.
    writeDurably(`${file}.new`, `${value}\n`);
    renameSync(`${file}.new`, file);
    syncDirectory(directory);
  } catch (error) {
    throw unusable(file, error);
  }
}

function writeDurably(file: string, text: string): void {
  const fd = openSync(file, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes a rename durable. Windows cannot open a directory; its file system journals the rename itself. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function unusable(file: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? 'error';
  return new Error(`Cannot use ${file} (${code}): make DATA_DIR writable for this user or set another one`);
}
