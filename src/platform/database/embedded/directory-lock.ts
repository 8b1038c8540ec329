import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { DirectoryTakenError, errorCode } from './errors';
import { pollUntil, run } from './process';

/** BSD's open(2) flag: take an exclusive flock with the open. Node does not name it. */
const O_EXLOCK = 0x20;

/**
 * A flock on <dataDir>/postgres.lock, held from before anything is looked at until everything is stopped. The kernel
 * drops it when its holder dies, however it dies; it also holds between containers that share the directory.
 *
 * node has no flock: the open descriptor is handed to flock(1), the lock belongs to the open file, and so stays with
 * us when flock(1) has ended. Nothing else inherits the descriptor (node opens with O_CLOEXEC).
 *
 * `strong` is false where flock(1) or the file system cannot do it. Then the advisory lock alone decides (ownership.ts).
 */
export class DirectoryLock {
  private constructor(
    private readonly handle: FileHandle,
    readonly strong: boolean,
  ) {}

  static async acquire(file: string, dataDir: string, signal: AbortSignal): Promise<DirectoryLock> {
    // A server that was killed this moment may still be in the kernel's hands: "held" is believed after a second look.
    const lock = await pollUntil(() => DirectoryLock.attempt(file), { everyMs: 100, forMs: 500, signal });
    if (lock) return lock;
    throw new DirectoryTakenError(dataDir, await readHolder(file));
  }

  private static async attempt(file: string): Promise<DirectoryLock | undefined> {
    const bsd = process.platform === 'darwin' ? O_EXLOCK | constants.O_NONBLOCK : 0;
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | bsd;
    let handle: FileHandle;
    try {
      handle = await open(file, flags, 0o600);
    } catch (error) {
      if (bsd && (errorCode(error) === 'EAGAIN' || errorCode(error) === 'EWOULDBLOCK')) return undefined;
      throw error;
    }
    const code = bsd ? 0 : (await run(['flock', '-x', '-n', '3'], { fd: handle.fd })).code;
    if (code === 1) {
      await handle.close();
      return undefined;
    }
    const lock = new DirectoryLock(handle, code === 0);
    await lock.sign();
    return lock;
  }

  private async sign(): Promise<void> {
    await this.handle.truncate(0);
    await this.handle.write(`${process.pid}\n`, 0);
  }

  async release(): Promise<void> {
    await this.handle.close();
  }
}

async function readHolder(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY).catch(() => undefined);
  if (!handle) return undefined;
  const pid = Number.parseInt(await handle.readFile('utf8'), 10);
  await handle.close();
  return pid > 0 ? `pid ${pid}` : undefined;
}
