import { Injectable } from '@nestjs/common';
import { Database, SystemDatabase } from '../../platform/database';
import { feedsCollected, feedSweepDue } from './changes.functions';

/** Whose changes are collected. */
@Injectable()
export class ChangesRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /** Tenants whose changes are collected, and whether all of their rooms are to be looked at once more. */
  async collected(): Promise<ReadonlyMap<string, boolean>> {
    const rows = await feedsCollected.call(this.system, {});
    return new Map(rows.map(({ tenant_id, is_due }) => [tenant_id, is_due]));
  }

  /** A job looks at all rooms of the tenant. */
  async sweepDue(tenantId: string): Promise<void> {
    await feedSweepDue.call(this.database, tenantId, {});
  }
}
