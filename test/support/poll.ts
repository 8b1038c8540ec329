import { setTimeout as pause } from 'node:timers/promises';
import { MAX_WAIT_MS } from './timing';

const BETWEEN_MS = 25;

/**
 * Asks again until the answer is the wanted one, and returns it; for what happens by itself a little later. Throws
 * with the last answer after `withinMs`.
 */
export async function until<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  withinMs = MAX_WAIT_MS,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`not as wanted after ${withinMs} ms; the last answer was ${JSON.stringify(answer)}`);
    await pause(BETWEEN_MS);
  }
}
