import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;

/** The key that encrypted this is not among those that the server was given. */
export class UnknownKeyError extends Error {
  constructor(keyId: string) {
    super(`Encrypted with key ${keyId}: add it to ENCRYPTION_KEYS_OLD`);
    this.name = 'UnknownKeyError';
  }
}

/**
 * Encrypts what is secret at rest. A ciphertext names its key (`<key id>.<iv>.<tag>.<data>`), so that what an older key
 * encrypted can be read after a change of ENCRYPTION_KEY; its context is authenticated with it, so that a ciphertext
 * that is moved to another row cannot be read there.
 */
export class SecretBox {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly currentId: string;

  /** @param current 32 bytes as hex, like those of `old`, which only read */
  constructor(current: string, old: readonly string[] = []) {
    this.currentId = keyId(current);
    this.keys = new Map([...old, current].map((hex) => [keyId(hex), Buffer.from(hex, 'hex')]));
  }

  /** @param context what the secret belongs to; needed again for reading */
  sealSecret(secret: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.keyOf(this.currentId), iv).setAAD(Buffer.from(context));
    const data = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return [this.currentId, ...[iv, cipher.getAuthTag(), data].map((part) => part.toString('base64url'))].join('.');
  }

  /** Throws UnknownKeyError, or a plain error when the ciphertext or its context is not what was sealed. */
  openSecret(sealed: string, context: string): string {
    const [id = '', iv = '', tag = '', data = ''] = sealed.split('.');
    const decipher = createDecipheriv(ALGORITHM, this.keyOf(id), Buffer.from(iv, 'base64url'), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(context)).setAuthTag(Buffer.from(tag, 'base64url'));
    return Buffer.concat([decipher.update(Buffer.from(data, 'base64url')), decipher.final()]).toString('utf8');
  }

  /** Whether the key that sealed it is one of ours. */
  knows(sealed: string): boolean {
    return this.keys.has(sealed.split('.', 1)[0] ?? '');
  }

  /** Whether the key in force sealed it. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`${this.currentId}.`);
  }

  private keyOf(id: string): Buffer {
    const key = this.keys.get(id);
    if (key === undefined) throw new UnknownKeyError(id);
    return key;
  }
}

function keyId(hex: string): string {
  return createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex').slice(0, 8);
}

const TAG_BYTES = 16;

/** 128 MB and some 0.4 s per guess. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };

/** The passphrase is another one, or the box was changed. */
export class PassphraseError extends Error {
  constructor() {
    super('The passphrase is not the one that this was sealed with');
    this.name = 'PassphraseError';
  }
}

/** What a passphrase seals, as JSON; bytes are base64. */
export interface PassphraseBox {
  readonly salt: string;
  readonly iv: string;
  readonly data: string;
}

/** @param context authenticated with the text; needed again for opening */
export async function sealWithPassphrase(text: string, passphrase: string, context: string): Promise<PassphraseBox> {
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv(ALGORITHM, await keyOf(passphrase, salt), iv).setAAD(Buffer.from(context));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { salt: salt.toString('base64'), iv: iv.toString('base64'), data: data.toString('base64') };
}

/** Throws PassphraseError. */
export async function openWithPassphrase(box: PassphraseBox, passphrase: string, context: string): Promise<string> {
  const [salt, iv, data] = [box.salt, box.iv, box.data].map((part) => Buffer.from(part, 'base64')) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const decipher = createDecipheriv(ALGORITHM, await keyOf(passphrase, salt), iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context)).setAuthTag(data.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(data.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    throw new PassphraseError();
  }
}

function keyOf(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, 32, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
