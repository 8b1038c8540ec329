import { Injectable } from '@nestjs/common';
import { SystemDatabase } from './database';

/** The one row of the table `instance`: what the installation knows of itself. Its epoch is read by `Epoch`. */
@Injectable()
export class InstanceRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Whether no start has shown the first API key yet. */
  async isFresh(): Promise<boolean> {
    const [row] = await this.system.query<{ fresh: boolean }>(
      'first start?',
      'SELECT bootstrapped_at IS NULL AS fresh FROM instance',
    );
    return row?.fresh === true;
  }

  async markBootstrapped(): Promise<void> {
    await this.system.query('first start done', 'UPDATE instance SET bootstrapped_at = clock_timestamp()');
  }

  /** A sealed canary per encryption key that the database was started with. */
  async keyCanaries(): Promise<readonly string[]> {
    const [row] = await this.system.query<{ key_canaries: string[] }>('canaries', 'SELECT key_canaries FROM instance');
    return row?.key_canaries ?? [];
  }

  async keepKeyCanaries(canaries: readonly string[]): Promise<void> {
    await this.system.query('keep canaries', 'UPDATE instance SET key_canaries = $1', [canaries]);
  }

  /** A real write, by which /health knows that the database takes one. */
  async writeCheck(): Promise<void> {
    await this.system.query('health', 'UPDATE instance SET checked_at = clock_timestamp()');
  }
}
