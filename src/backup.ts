/** `npm run backup -- FILE` and `npm run restore -- FILE`, with the server's own configuration. */
import './background';
import { config as loadDotenv } from 'dotenv';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ClientConfig } from 'pg';
import { type AppConfig, forgetPostgresVariables, loadConfig } from './config';
import {
  backup,
  BackupRefusal,
  connectionOf,
  DatabaseRefusal,
  DirectoryTakenError,
  EmbeddedPostgres,
  explainOpening,
  hasCluster,
  isConnectionLoss,
  restore,
  type RestoreRequest,
  runningConnection,
} from './platform/database';
import { explain, type Log, PinoLog } from './platform/logging';
import {
  findSecrets,
  type FoundSecrets,
  keepSecrets,
  keyFingerprint,
  openWithPassphrase,
  type PassphraseBox,
  PassphraseError,
  sealWithPassphrase,
} from './platform/secrets';

const HELP = `Usage: npm run backup -- FILE [--with-secrets] [--fast]
       npm run restore -- FILE

The database is the one that the server would use: DATABASE_URL, or else the embedded one in DATA_DIR (environment or .env).

backup   writes everything to FILE, as of one moment. The server may run meanwhile.
         --with-secrets   puts the master key, JWT_SECRET and ENCRYPTION_KEY into FILE, sealed with BACKUP_PASSPHRASE
         --fast           without the pauses that leave a running server its pace
restore  fills an empty database from FILE; the server must not run. It needs the ENCRYPTION_KEY of the server that was
         backed up: in the environment, in DATA_DIR/secrets, or in FILE. Cut short, it is run again with the same FILE.
         FILE holds statements that are run: restore only what you trust.

Exit codes: 0 done, 1 refused or failed (nothing counts as done), 2 wrong usage.`;

const USAGE = 2;
/** For a server that starts or stops at this very moment. */
const SETTLED_MS = 60_000;

interface Order {
  readonly command: 'backup' | 'restore';
  readonly file: string;
  readonly withSecrets: boolean;
  readonly isFast: boolean;
}

/** What both commands work with. */
interface Site {
  readonly config: AppConfig;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** An open database, and whether a server works on it meanwhile. */
interface Opened {
  readonly connection: ClientConfig;
  readonly isShared: boolean;
}

const say = (line: string): void => console.error(line);

function readOrder(args: readonly string[]): Order | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean' }, 'with-secrets': { type: 'boolean' }, fast: { type: 'boolean' } },
  });
  if (values.help) return undefined;
  const [command, file, ...more] = positionals;
  if (command !== 'backup' && command !== 'restore') throw new Error('The command is backup or restore');
  if (file === undefined || file === '') throw new Error('Name the FILE');
  if (more.length > 0) throw new Error(`One FILE, not also ${more.join(' ')}`);
  if (command === 'restore' && (values['with-secrets'] ?? values.fast) !== undefined)
    throw new Error('--with-secrets and --fast are for backups');
  return { command, file, withSecrets: values['with-secrets'] ?? false, isFast: values.fast ?? false };
}

async function runBackup({ file, withSecrets, isFast }: Order, site: Site): Promise<void> {
  const { config, signal } = site;
  const secrets = findSecrets(config);
  const { encryptionKey } = secrets;
  if (encryptionKey === undefined)
    throw new BackupRefusal(
      'ENCRYPTION_KEY is neither set nor in DATA_DIR/secrets: run this with the configuration of the server',
    );
  const passphrase = withSecrets ? await readPassphrase(config, true) : undefined;
  const { summary, ms } = await withSource(site, async ({ connection, isShared }) => {
    const begun = performance.now();
    const summary = await backup({
      ...{ connection, file, signal, onProgress: say, isGentle: isShared && !isFast },
      release: (JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string }).version,
      keys: [encryptionKey, ...secrets.oldEncryptionKeys].map(keyFingerprint),
      sealSecrets:
        passphrase === undefined ? undefined : (id) => sealWithPassphrase(JSON.stringify(secrets), passphrase, id),
    });
    return { summary, ms: performance.now() - begun };
  });
  const { header, rows, bytes } = summary;
  console.log(
    `Backed up ${rows} rows as of ${header.made_at} to ${file} (${bytes} bytes, ${(ms / 1000).toFixed(1)} s). ` +
      (withSecrets
        ? 'The passphrase opens its secrets.'
        : `Keep ENCRYPTION_KEY ${header.keys[0] ?? ''} apart from it.`),
  );
}

async function runRestore({ file }: Order, site: Site): Promise<void> {
  const { config, log, signal } = site;
  const embedded = config.database.url === undefined ? embeddedOf(site) : undefined;
  try {
    const { header, rows } = await restore({
      ...{ file, log, signal, onProgress: say, allowUnsafe: config.database.allowUnsafe },
      openTarget: async () => {
        await embedded?.start();
        return embedded?.connection() ?? connectionOf(config.database.url ?? '');
      },
      takeKeys: (wanted, box) => takeKeys(config, wanted, box as PassphraseBox | undefined),
    });
    console.log(
      `Restored ${rows} rows as of ${header.made_at} from ${file}. Start the server: its clients read their rooms anew.`,
    );
  } finally {
    await embedded?.stop();
  }
}

const takeKeys = async (
  config: AppConfig,
  header: Parameters<RestoreRequest['takeKeys']>[0],
  box: PassphraseBox | undefined,
): Promise<() => Promise<void>> => {
  const here = findSecrets(config);
  const missingIn = (secrets: readonly FoundSecrets[]): string | undefined => {
    const known = new Set(
      secrets.flatMap(({ encryptionKey, oldEncryptionKeys }) =>
        [...(encryptionKey === undefined ? [] : [encryptionKey]), ...oldEncryptionKeys].map(keyFingerprint),
      ),
    );
    return header.keys.find((key) => !known.has(key));
  };
  const missing = missingIn([here]);
  if (missing === undefined) return () => Promise.resolve();
  if (box === undefined)
    throw new BackupRefusal(
      `This backup needs the ENCRYPTION_KEY ${missing} (its fingerprint), which is neither set nor in ${config.database.dataDir}/secrets: ` +
        'set the one of the server that was backed up, or copy its DATA_DIR/secrets',
    );
  const sealed = await openWithPassphrase(box, await readPassphrase(config, false), header.backup_id).catch(
    (error: unknown) => {
      throw error instanceof PassphraseError
        ? new BackupRefusal('BACKUP_PASSPHRASE is not the one that this backup was made with')
        : error;
    },
  );
  const brought = JSON.parse(sealed) as FoundSecrets;
  return async () => keepSecrets(config, brought);
};

/** Opens the database that is backed up, whether a server is on it or not. */
async function withSource<T>(site: Site, work: (opened: Opened) => Promise<T>): Promise<T> {
  const { url, dataDir } = site.config.database;
  if (url !== undefined) return work({ connection: connectionOf(url), isShared: true });
  if (!(await hasCluster(dataDir)))
    throw new BackupRefusal(`There is no database in ${dataDir}: set DATA_DIR or DATABASE_URL as the server has it`);
  const embedded = embeddedOf(site);
  try {
    return await work(await startOrJoin(embedded, dataDir, site.signal));
  } finally {
    await embedded.stop();
  }
}

/** The directory's lock says which: with it, no server runs it; without it, there is a server, or will be at once. */
async function startOrJoin(embedded: EmbeddedPostgres, dataDir: string, signal: AbortSignal): Promise<Opened> {
  for (const until = performance.now() + SETTLED_MS; ;) {
    try {
      await embedded.start();
      return { connection: embedded.connection(), isShared: false };
    } catch (error) {
      if (!(error instanceof DirectoryTakenError) || performance.now() > until) throw error;
    }
    const connection = await runningConnection(dataDir);
    if (connection !== undefined) return { connection, isShared: true };
    await pause(250, undefined, { signal });
  }
}

function embeddedOf({ config, log }: Site): EmbeddedPostgres {
  return new EmbeddedPostgres({
    dataDir: config.database.dataDir,
    onProgress: say,
    log: {
      info: (message) => log.info({}, message),
      warn: (message) => log.warn({}, message),
      error: (message) => log.error({}, message),
    },
  });
}

async function readPassphrase(config: AppConfig, isNew: boolean): Promise<string> {
  const { backupPassphrase } = config.security;
  if (backupPassphrase !== undefined) return backupPassphrase;
  if (!process.stdin.isTTY)
    throw new BackupRefusal('Set BACKUP_PASSPHRASE: the secrets in the file are sealed with it');
  const passphrase = await ask('Passphrase of the backup: ');
  if (isNew && passphrase.length < 12) throw new BackupRefusal('The passphrase must have at least 12 characters');
  if (isNew && (await ask('Once more: ')) !== passphrase) throw new BackupRefusal('These were two passphrases');
  return passphrase;
}

/** Shows the question and not the answer. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

function explainFailure(error: unknown, url: string | undefined): string {
  const isTold = url === undefined || error instanceof DatabaseRefusal;
  const told = isTold ? error : explainOpening(error, connectionOf(url));
  if (told === error && isConnectionLoss(error)) return 'The database went away in the middle: run it again';
  return explain(told);
}

async function main(): Promise<number> {
  let order: Order | undefined;
  try {
    order = readOrder(process.argv.slice(2));
  } catch (error) {
    say(`${(error as Error).message}\n\n${HELP}`);
    return USAGE;
  }
  if (order === undefined) {
    console.log(HELP);
    return 0;
  }
  loadDotenv({ quiet: true });
  let url: string | undefined;
  const interrupted = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => interrupted.abort(new BackupRefusal('interrupted')));
  try {
    forgetPostgresVariables();
    const config = loadConfig(process.env);
    ({ url } = config.database);
    const site = { config, log: new PinoLog('error'), signal: interrupted.signal };
    await (order.command === 'backup' ? runBackup(order, site) : runRestore(order, site));
    return 0;
  } catch (error) {
    say(`The ${order.command} failed:\n${explainFailure(error, url)}`);
    return 1;
  }
}

void main().then((code) => process.exit(code));
