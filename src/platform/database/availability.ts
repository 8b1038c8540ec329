import type { ClientConfig } from 'pg';
import { unavailable } from '../../common/errors';
import type { Log } from '../logging';
import { codeOf, isServerError } from './errors';
import { GuardedClient } from './guarded-client';

const PROBE_TIMEOUT_MS = 1000;
const PROBE_INTERVAL_MS = 250;
/** Too many connections: the server answers, and those that are open go on working. */
const TOO_MANY = '53300';

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
    this.probing = false;
    clearTimeout(this.timer);
  }

  private async probe(): Promise<void> {
    const failure = await complaint(this.connection);
    if (this.stopped) return;
    if (failure === undefined) {
      if (this.awaySince !== undefined)
        this.log.info({ outage_ms: Math.round(performance.now() - this.awaySince) }, 'database is back');
      this.awaySince = undefined;
      this.probing = false;
      return;
    }
    if (this.awaySince === undefined) {
      this.awaySince = performance.now();
      this.log.error({ code: failure }, 'database is away; answering 503 until it is back');
    }
    this.timer = setTimeout(() => void this.probe(), PROBE_INTERVAL_MS);
  }
}

/** The code of what is wrong with the database, undefined when it answers. */
async function complaint(connection: ClientConfig): Promise<string | undefined> {
  let client: GuardedClient | undefined;
  try {
    client = await GuardedClient.open(connection, { applicationName: 'chatapi probe', timeoutMs: PROBE_TIMEOUT_MS });
    await client.query('SELECT 1');
    return undefined;
  } catch (error) {
    const code = codeOf(error) ?? 'unknown';
    return isServerError(error) && code === TOO_MANY ? undefined : code;
  } finally {
    void client?.close();
  }
}
