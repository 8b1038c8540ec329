import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  readonly everyMs: number;
  readonly forMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks until the answer is not undefined; undefined when the time is over. An aborted signal rejects (AbortError). */
export async function pollUntil<T>(
  probe: () => Promise<T | undefined>,
  { everyMs, forMs, signal }: PollOptions,
): Promise<T | undefined> {
  const end = performance.now() + forMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() >= end) return undefined;
    await pause(everyMs, signal);
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return sleep(ms, undefined, signal ? { signal } : {});
}

/** Resolves to false when the promise has not settled in time; never rejects for the promise's sake. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const settled = promise.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([settled, late]);
  timer.abort();
  return result;
}

/** 100 ms, 200 ms … 5 s, for as long as the caller asks. */
export function backoffMs(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 10), 5_000);
}
