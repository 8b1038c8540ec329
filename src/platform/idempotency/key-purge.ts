import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SystemDatabase } from '../database';
import { every, Lifecycle, StopStage } from '../lifecycle';
import { Log } from '../logging';

const INTERVAL_MS = 10 * 60_000;
const BATCH = 5000;

/** Drops idempotency keys that are older than their 24 hours, in batches, every ten minutes. */
@Injectable()
export class KeyPurge implements OnModuleInit {
  constructor(
    private readonly system: SystemDatabase,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const timer = every(INTERVAL_MS, 'idempotency key purge', () => this.purge(), this.log);
    this.lifecycle.onStop(StopStage.workers, 'idempotency key purge', () => timer.stop());
  }

  /** Deletes all that have expired; returns how many. */
  async purge(): Promise<number> {
    let total = 0;
    for (let n = BATCH; n === BATCH; total += n) {
      const rows = await this.system.read<{ n: number }>(
        'purge idempotency keys',
        `WITH gone AS (DELETE FROM idempotency_keys WHERE ctid IN (
           SELECT ctid FROM idempotency_keys WHERE expires_at < clock_timestamp() LIMIT ${BATCH}) RETURNING 1)
         SELECT count(*)::int AS n FROM gone`,
      );
      n = rows[0]?.n ?? 0;
    }
    return total;
  }
}
