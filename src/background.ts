/**
 * Imported first by a command that works beside a running server: what it costs, its own start included, is the server's
 * before it is the command's. On Linux a priority is a thread's, and the engine's threads are there already.
 */
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

const NICE = 10;
const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [process.pid];
if (process.argv[2] === 'backup') threads.forEach(lower);

function lower(thread: number): void {
  try {
    setPriority(thread, NICE);
  } catch {
    // It has ended, or a policy forbids it: the backup works all the same.
  }
}
