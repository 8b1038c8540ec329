import { Client, type ClientConfig } from 'pg';
import { unavailable } from '../../common/errors';
import type { Log } from '../logging';

const PROBE_TIMEOUT_MS = 1000;
const PROBE_INTERVAL_MS = 250;

/**
 * Knows whether the database answers. A failed call asks for a probe on a fresh connection; only a failed probe
 * makes the database "away". While it is away calls fail at once instead of waiting for their deadline, and probes
 * go on until one succeeds. Each outage is logged once when it begins and once when it ends.
 */
export class Availability {
  private awaySince: number | undefined;
  private probing = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: ClientConfig,
    private readonly log: Log,
  ) {}

  get up(): boolean {
    return this.awaySince === undefined;
  }

  /** A call failed and it is not known yet whether the database is away. */
  get suspected(): boolean {
    return this.probing;
  }

  /** Throws 503 while the database is away. */
  check(): void {
    if (!this.up) throw unavailable('The database is not available right now. Try again in a moment');
  }

  /** A call failed in a way that may mean that the database is away. */
  suspect(): void {
    if (this.probing || this.stopped) return;
    this.probing = true;
    void this.probe();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async probe(): Promise<void> {
    const alive = await answers(this.connection);
    if (this.stopped) return;
    if (alive) {
      if (this.awaySince !== undefined)
        this.log.info({ outage_ms: Math.round(performance.now() - this.awaySince) }, 'database is back');
      this.awaySince = undefined;
      this.probing = false;
      return;
    }
    if (this.awaySince === undefined) {
      this.awaySince = performance.now();
      this.log.error({}, 'database is away; answering 503 until it is back');
    }
    this.timer = setTimeout(() => void this.probe(), PROBE_INTERVAL_MS);
  }
}

async function answers(connection: ClientConfig): Promise<boolean> {
  const client = new Client({
    ...connection,
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    query_timeout: PROBE_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    // A frozen server never answers the goodbye: do not wait for it.
    void client.end().catch(() => undefined);
  }
}
