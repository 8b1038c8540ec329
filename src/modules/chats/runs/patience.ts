import { setTimeout as pause } from 'node:timers/promises';
import { isUnavailable } from '../../../common/errors';

const RETRY_MS = 200;

/**
 * Does it again while the database is away, until the signal aborts. A worker that waits keeps its job, and with it the
 * chat's turn: one that came again later would find that the next message had been answered first.
 */
export async function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isUnavailable(error)) throw error;
      await pause(RETRY_MS);
    }
  }
}
