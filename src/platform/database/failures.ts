import type { FailureReason } from './errors';

/** Tells whoever counts (the metrics, made long after the database is open) why calls failed. */
export class Failures {
  private listener: (reason: FailureReason) => void = () => undefined;

  note(reason: FailureReason): void {
    this.listener(reason);
  }

  /** One listener; what happened before it is not told. */
  listen(listener: (reason: FailureReason) => void): void {
    this.listener = listener;
  }
}
