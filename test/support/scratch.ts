import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where test data goes: memory if there is enough of it (Docker's /dev/shm is too small). */
export function scratch(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > 2 ** 30 ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}
