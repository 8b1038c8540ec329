import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

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
  seal(secret: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.keyOf(this.currentId), iv).setAAD(Buffer.from(context));
    const data = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return [this.currentId, ...[iv, cipher.getAuthTag(), data].map((part) => part.toString('base64url'))].join('.');
  }

  /** Throws UnknownKeyError, or a plain error when the ciphertext or its context is not what was sealed. */
  open(sealed: string, context: string): string {
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
