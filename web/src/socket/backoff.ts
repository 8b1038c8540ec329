const FIRST_MS = 500;
const MOST_MS = 30_000;
/** 2¹⁰ · 500 ms is far beyond the most. */
const LAST_STEP = 10;

/**
 * Milliseconds to wait before connecting again: full jitter, so that a thousand clients that come back in the same second
 * do not meet again.
 * @param attempt how many attempts failed since the last `hello`
 * @param askedMs what the server asked to wait, which comes on top
 * @param random from 0 to 1
 */
export function backoff(attempt: number, askedMs = 0, random = Math.random()): number {
  return askedMs + random * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, LAST_STEP));
}
