import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describeError, type Log } from '../logging';
import type { SystemDatabase } from './database';
import { systemFunction, value } from './schema-function';

/** Of the statement that raises it, which sleeps up to a second. */
const RAISE_DEADLINE_MS = 10_000;

export const raiseEpoch = systemFunction('raise_epoch', { p_seen: 'bigint' }, value<number>('bigint'));

/**
 * The installation's epoch: another number than before means that a backup was restored, or that a database took over
 * which lacks something; positions (`seq`, `rev`) and socket tickets of the time before are worth nothing then. A start,
 * `npm run restore` and `npm run epoch` raise it while no server runs, the failover watch while one does: where there is
 * none it is read once, else the watch keeps it up to date.
 */
export class Epoch {
  /**
   * The timeline of the database's server, from 1: tickets that were used on another one are not known. undefined: no
   * other server can take over, or it is not watched.
   */
  timeline: number | undefined;
  private value: number | undefined;
  private readonly handlers = new Set<() => void>();

  constructor(private readonly system: SystemDatabase) {}

  /** What `read` has found; for code that runs after a connection's `hello`. */
  get known(): number {
    if (this.value === undefined) throw new Error('the epoch has not been read yet');
    return this.value;
  }

  /** Rejects with 503 while it is not known and the database is away. */
  async readEpoch(): Promise<number> {
    if (this.value !== undefined) return this.value;
    const rows = await this.system.query<{ epoch: number }>('read epoch', 'SELECT epoch FROM instance');
    const epoch = rows[0]?.epoch;
    if (epoch === undefined) throw new Error('the table instance is empty');
    return (this.value = epoch);
  }

  /**
   * It is this one now. All that `onChange` has named have dropped what they hold when this returns.
   * @param epoch as the database has it
   */
  follow(epoch: number): void {
    const isOther = this.value !== undefined && this.value !== epoch;
    this.value = epoch;
    if (isOther) for (const handler of this.handlers) handler();
  }

  /**
   * Calls back when the log has become another one while the server runs: every position that is held is worth nothing.
   * @param handler neither waits nor throws
   */
  onChange(handler: () => void): void {
    this.handlers.add(handler);
  }

  /** Raises it, unless it is another one than `seen` by now; returns the one in force. */
  async raise(seen: number): Promise<number> {
    return (this.value = await this.system.transaction(
      raiseEpoch.name,
      (sql) => raiseEpoch.callIn(sql, { p_seen: seen }),
      RAISE_DEADLINE_MS,
    ));
  }
}

/**
 * Notices that the data directory is a copy of what it was, or was put back from one, and raises the epoch then.
 *
 * What a copy cannot take along is the identity of files: device, inode, time of birth. The database stores those of the
 * directory and of a mark, a file that each start makes anew under a name of its own. A copy has the stored numbers and
 * other files; a copy put back into the same directory has another mark, or none.
 *
 * Invariants: the epoch is raised before the new mark is stored, so a start that is cut short in between raises it once
 * more and never not; the mark is on the disk before it is stored, and the former one goes afterwards, so the stored one
 * is there after any crash. Not seen is what keeps the files themselves: a snapshot of the disk, a copy of the device.
 */
const MARK = 'postgres.start-';

/** Clocks of file systems stand still for some milliseconds. */
const GROWTHS = 20;

const GROWTH_MS = 5;

const MARK_TEXT = 'ChatAPI made this file at its last start, to notice when its directory was restored from a copy.\n';

interface Identity {
  readonly device: string;
  readonly inode: string;
  /** Nanoseconds since 1970; of a mark on a file system that does not tell: when it was changed last; else empty. */
  readonly born: string;
}

/** What the database stores of its directory. */
interface Look {
  readonly directory: Identity;
  readonly mark: Identity & { readonly name: string };
}

/** To be called at a start, by the server that holds the directory. Throws only when the database fails. */
export async function noticeCopy(system: SystemDatabase, epoch: Epoch, dataDir: string, log: Log): Promise<void> {
  const directory = await realpath(dataDir);
  const [stored] = await system.query<{ directory: Look | null; is_new: boolean }>(
    'read directory',
    'SELECT directory, bootstrapped_at IS NULL AS is_new FROM instance',
  );
  // One of a release before this one may be a copy or not.
  const isCopy = stored?.directory == null ? stored?.is_new !== true : !(await isStill(directory, stored.directory));
  if (isCopy) await raise(epoch, stored?.directory == null, log);
  try {
    const look = await newLook(directory);
    await system.query('store directory', 'UPDATE instance SET directory = $1', [JSON.stringify(look)]);
    await removeMarks(directory, look.mark.name);
  } catch (error) {
    // The former mark still stands for what is stored.
    log.warn({ error: describeError(error) }, 'the data directory could not be marked: a copy may go unnoticed');
  }
}

async function raise(epoch: Epoch, isUnknown: boolean, log: Log): Promise<void> {
  const from = await epoch.readEpoch();
  const to = await epoch.raise(from);
  const why = isUnknown
    ? 'nothing is known of how this data directory looked before'
    : 'this data directory is a copy, or was restored from one';
  log.warn({ from, to }, `${why}: the epoch was raised, clients read their rooms anew`);
}

async function isStill(directory: string, stored: Look): Promise<boolean> {
  const mark = await markOf(join(directory, stored.mark.name)).catch(() => undefined);
  return mark !== undefined && isSame(mark, stored.mark) && isSame(await directoryOf(directory), stored.directory);
}

function isSame(a: Identity, b: Identity): boolean {
  return a.device === b.device && a.inode === b.inode && a.born === b.born;
}

/** Makes a new mark; what the database is to store of the directory with it. */
export async function newLook(directory: string): Promise<Look> {
  const name = `${MARK}${randomUUID()}`;
  const path = join(directory, name);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(MARK_TEXT);
    await grow(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(directory);
  return { directory: await directoryOf(directory), mark: { name, ...(await markOf(path)) } };
}

/** Until its last change is later than its birth, which it is not on a file system that knows no births. */
async function grow(file: FileHandle): Promise<void> {
  for (let n = 0; n < GROWTHS; n++) {
    await file.chmod(0o600);
    const { birthtimeNs, ctimeNs } = await file.stat({ bigint: true });
    if (birthtimeNs !== ctimeNs) return;
    await pause(GROWTH_MS);
  }
}

/** Without it a power cut could leave the database with a mark that is not there. Windows has no such call. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeMarks(directory: string, but: string): Promise<void> {
  const names = await readdir(directory);
  const marks = names.filter((name) => name.startsWith(MARK) && name !== but);
  await Promise.all(marks.map((name) => rm(join(directory, name), { force: true })));
}

async function directoryOf(path: string): Promise<Identity> {
  const stats = await stat(path, { bigint: true });
  return { ...placeOf(stats), born: birthOf(stats) ?? '' };
}

/** Nothing changes a mark but a copy of the directory. */
async function markOf(path: string): Promise<Identity> {
  const stats = await stat(path, { bigint: true });
  return { ...placeOf(stats), born: birthOf(stats) ?? `changed ${stats.ctimeNs}` };
}

function placeOf({ dev, ino }: BigIntStats): { device: string; inode: string } {
  return { device: String(dev), inode: String(ino) };
}

/** Where no birth is known, libuv says 0, or the time of the last change. */
function birthOf({ birthtimeNs, ctimeNs }: BigIntStats): string | undefined {
  return birthtimeNs > 0n && birthtimeNs !== ctimeNs ? String(birthtimeNs) : undefined;
}
