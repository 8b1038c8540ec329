import type { AcceptedConnection } from '../contract';

/** While more than this waits for a client, nothing is read from the log for it. */
export const PACE_BYTES = 256 * 1024;

/** Resolves when the client has taken enough to get more, or is gone. */
export function ready(connection: AcceptedConnection): Promise<void> {
  return new Promise((resolve) => connection.onceBelow(PACE_BYTES, resolve));
}
