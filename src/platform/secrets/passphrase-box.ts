import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
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
