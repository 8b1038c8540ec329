import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database';
import { usageFlush } from './usage.functions';

/** What a tenant did since it was last written. */
export interface Flushed {
  readonly tenantId: string;
  readonly deliveries: number;
  readonly posts: number;
  /** Most sockets that were open at once. */
  readonly peak: number;
}

/** Writes what is counted in memory, of many tenants in one statement. */
@Injectable()
export class UsageFlushRepository {
  constructor(private readonly system: SystemDatabase) {}

  async add(rows: readonly Flushed[]): Promise<void> {
    await usageFlush.call(this.system, {
      p_tenants: rows.map((row) => row.tenantId),
      p_deliveries: rows.map((row) => row.deliveries),
      p_posts: rows.map((row) => row.posts),
      p_peaks: rows.map((row) => row.peak),
    });
  }
}
