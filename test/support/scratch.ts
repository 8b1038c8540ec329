import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where test data goes: memory if there is enough of it (Docker's /dev/shm is too small). */
export function scratch(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > 2 ** 30 ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Copies the database of a data directory, stopped; with owners and modes, which postgres insists on. */
export function copyCluster(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const { status, stderr } = spawnSync('cp', ['-a', join(from, 'postgres'), to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cp -a ${from}/postgres ${to}: ${stderr}`);
}
