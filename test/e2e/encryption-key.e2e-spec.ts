import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { SilentLog } from '../../src/platform/logging';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { Api } from '../support/http/api';

const MASTER_API_KEY = 'master-key-of-a-served-test';
const [FIRST, SECOND, THIRD] = ['1', '2', '3'].map((digit) => digit.repeat(64)) as [string, string, string];
const NOTHING = (): Promise<void> => Promise.resolve();
const REFUSED =
  /^The encryption key .* is not the one that this database was used with: set the former one again, or add it to ENCRYPTION_KEYS_OLD$/;
const UNREADABLE = /^The encryption key .*, and 1 secret of its tenants cannot be read: set the former/;

let database: TestDatabase;
let dataDir: string;
beforeEach(async () => {
  database = await createTestDatabase();
  dataDir = mkdtempSync(join(tmpdir(), 'chatapi-test-'));
});
afterEach(async () => {
  await database.drop();
  rmSync(dataDir, { recursive: true });
});

/** Starts, does something with the master key, and stops. Without a key: with the one in DATA_DIR. */
async function used(key?: string, old: string[] = [], work: (master: Api) => Promise<void> = NOTHING): Promise<void> {
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    DATABASE_ALLOW_UNSAFE: 'true',
    MASTER_API_KEY,
    ...(key === undefined ? {} : { ENCRYPTION_KEY: key, ENCRYPTION_KEYS_OLD: old.join(',') }),
  });
  const { url, lifecycle } = await createApp(config, () => undefined, new SilentLog());
  try {
    await work(new Api(url, { 'x-master-key': MASTER_API_KEY }));
  } finally {
    await lifecycle.stop('used');
  }
}

/** The one line of a start that is refused; such an error is shown without a stack. */
async function refusal(key?: string): Promise<string> {
  const error = await used(key).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect((error as Error | undefined)?.constructor).toBe(Error);
  return (error as Error).message;
}

const makeWebhook = async (master: Api): Promise<void> => {
  const settings = { webhook: { url: 'https://example.com/hook' } };
  expect((await master.post('/admin/tenants', { name: 'hooked', settings })).status).toBe(201);
};

describe('S17: the encryption key at the start', () => {
  it('another one is refused with one line, also where nothing is encrypted yet', async () => {
    await used(FIRST);
    expect(await refusal(SECOND)).toMatch(REFUSED);
    await used(FIRST);
  });

  it('with the former one beside it a new one is taken; the former one may go when nothing is encrypted with it', async () => {
    await used(FIRST);
    await used(SECOND, [FIRST]);
    await used(SECOND);
    await used(THIRD, [SECOND]);
    expect(await refusal(FIRST)).toMatch(REFUSED);
  });

  it('the former one may not go while a secret is encrypted with it', async () => {
    await used(FIRST, [], makeWebhook);
    await used(SECOND, [FIRST]);
    expect(await refusal(SECOND)).toMatch(UNREADABLE);
  });

  it('a database of an earlier release: what is encrypted there decides, and the key in force is remembered', async () => {
    await used(FIRST, [], makeWebhook);
    await database.sql(`UPDATE instance SET key_canaries = '{}'`);
    expect(await refusal(SECOND)).toMatch(UNREADABLE);
    await used(FIRST);
    const [row] = await database.sql<{ n: number }>('SELECT cardinality(key_canaries) AS n FROM instance');
    expect(row?.n).toBe(1);
  });
});

it.each(['not a key', 'ab'])('S17: a stored key that is damaged is one clear line, and stays: %s', async (text) => {
  await used();
  const file = join(dataDir, 'secrets', 'encryption-key');
  writeFileSync(file, text);
  expect(await refusal()).toMatch(/^\S*encryption-key holds no encryption key .*put the former one back/);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
