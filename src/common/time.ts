/** Time as a port: durations by a monotonic clock, so that a test can drive it and a change of the wall clock hurts nothing. */
export abstract class Clock {
  /** Milliseconds that only grow; for durations and deadlines. */
  abstract monotonicMs(): number;
  /** Milliseconds since 1970; for what is shown. Durable times come from the database's clock instead. */
  abstract wallMs(): number;
}

export class SystemClock extends Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }
}

/** A clock that a test moves by hand. */
export class ManualClock extends Clock {
  constructor(private now = 1_700_000_000_000) {
    super();
  }

  advance(ms: number): void {
    this.now += ms;
  }

  monotonicMs(): number {
    return this.now;
  }

  wallMs(): number {
    return this.now;
  }
}

/** The last time that was written: messages of one batch have the same, and each is written twice. */
const written = { ms: NaN, text: '' };

/** ISO 8601 in UTC with `Z` and milliseconds, of a Date or of a time as PostgreSQL's json writes it. */
export function isoTime(value: string | Date): string {
  const date = typeof value === 'string' ? new Date(value) : value;
  const ms = date.getTime();
  if (ms !== written.ms) {
    written.text = date.toISOString();
    written.ms = ms;
  }
  return written.text;
}

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
