import { closeSync, openSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import type { Log } from '../logging';
import { every } from './hooks';
import { type Lifecycle, StopStage } from './lifecycle';

const LOOK_MS = 1000;
const EXHAUSTED = new Set(['EMFILE', 'ENFILE']);

/**
 * Tells once when this process has no file descriptor left, and once when it has some again. Node says nothing of it: a
 * connection that cannot be accepted is closed by the operating system's library, so clients see only that it ends.
 */
export function watchDescriptors(lifecycle: Lifecycle, log: Log): void {
  const limit = descriptorLimit();
  let isOut = false;
  const look = (): void => {
    const code = openingFails();
    if (code !== undefined && !isOut)
      log.warn(
        { code, limit },
        `no file descriptor is left (limit ${limit ?? 'unknown'}): new connections are dropped; raise ulimit -n`,
      );
    if (code === undefined && isOut) log.info({ limit }, 'there are file descriptors again');
    isOut = code !== undefined;
  };
  const interval = every(LOOK_MS, 'file descriptors', look, log);
  lifecycle.onStop(StopStage.workers, 'file descriptors', () => interval.stop());
}

function openingFails(): string | undefined {
  try {
    closeSync(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== undefined && EXHAUSTED.has(code) ? code : undefined;
  }
}

/** Of this process, as Linux tells it; read while there is a descriptor to read it with. */
function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
