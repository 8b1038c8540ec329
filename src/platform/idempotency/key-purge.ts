import { Injectable } from '@nestjs/common';
import { purgeExpired, SystemDatabase } from '../database';
import { Every } from '../lifecycle';

const INTERVAL_MS = 10 * 60_000;

/** Drops idempotency keys that are older than their 24 hours, in batches, every ten minutes. */
@Injectable()
export class KeyPurge {
  constructor(private readonly system: SystemDatabase) {}

  /** Deletes all that have expired; returns how many. */
  @Every(INTERVAL_MS, 'idempotency key purge')
  purge(): Promise<number> {
    return purgeExpired(this.system, 'purge idempotency keys', 'idempotency_keys');
  }
}
