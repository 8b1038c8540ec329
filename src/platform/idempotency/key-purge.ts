import { Injectable, type OnModuleInit } from '@nestjs/common';
import { purgeExpired, SystemDatabase } from '../database';
import { every, Lifecycle, StopStage } from '../lifecycle';
import { Log } from '../logging';

const INTERVAL_MS = 10 * 60_000;

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
  purge(): Promise<number> {
    return purgeExpired(this.system, 'purge idempotency keys', 'idempotency_keys');
  }
}
