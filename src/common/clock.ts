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
