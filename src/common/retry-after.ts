const MOST_MS = 24 * 3_600_000;
const LEAST_MS = 1000;

/**
 * Milliseconds that a Retry-After header asks for, from a second to a day; undefined when there is none that can be read.
 * @param header seconds, or a date of HTTP
 */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(MOST_MS, Math.max(LEAST_MS, ms));
}
