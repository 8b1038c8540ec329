import { Inject, Injectable } from '@nestjs/common';
import { rm } from 'node:fs/promises';
import { Clock } from '../../../common/time';
import { DatabaseConfig } from '../../../config';
import { Database } from '../../../platform/database';
import { Metrics } from '../../../platform/metrics';
import { Paced, tenantFolders } from '../../../platform/tenant-data';
import { runsCancel } from '../../chats';
import { roomsClose } from '../../rooms';
import type { DeletionRef } from './deletion.functions';
import { DeletionsRepository } from './deletions.repository';
import { ROWS_AT_ONCE, type TenantTable, TenantRowsRepository } from './rows.repository';

/** So long a deletion goes on before other tenants have their turn. */
const TURN_MS = 30_000;

/** Why a turn ends before the tenant is gone: its time is up; or another one has ended the deletion. */
type Stop = 'later' | 'over';

/** Deletes what a tenant has. Every step may be done by two at once, cut short anywhere, and begun anew. */
@Injectable()
export class TenantDeleter {
  constructor(
    private readonly database: Database,
    private readonly deletions: DeletionsRepository,
    private readonly rows: TenantRowsRepository,
    @Inject(DatabaseConfig) private readonly config: Pick<DatabaseConfig, 'dataDir'>,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /**
   * Goes on with a deletion, of a tenant to which nobody can add any more.
   * @param mostMs how long it takes, about, in milliseconds
   * @returns whether it is over; false: the time was up, call it again
   * @throws what `signal` aborts with, 503
   */
  async turn(deletion: DeletionRef, signal: AbortSignal, mostMs = TURN_MS): Promise<boolean> {
    const paced = new Paced(this.clock, signal, mostMs);
    for (;;) {
      const stop = (await this.close(paced, deletion.tenantId)) ?? (await this.empty(paced, deletion));
      if (stop !== undefined) return stop === 'over';
      // Behind the rows that name them: nothing makes files of a tenant without a row.
      for (const folder of tenantFolders(this.config.dataDir, deletion.tenantId))
        await rm(folder, { recursive: true, force: true });
      // What has come in all the same: a call that began before, and took longer than any does.
      if ((await paced.piece(() => this.deletions.end(deletion))) !== 'left') return true;
    }
  }

  /** Ends answers, and closes every room under its own lock: what was let in before decides behind it. */
  private async close(paced: Paced, tenantId: string): Promise<Stop | undefined> {
    const args = { p_limit: ROWS_AT_ONCE };
    while ((await paced.piece(() => runsCancel.call(this.database, tenantId, args))) > 0)
      if (paced.isOver) return 'later';
    for (let after: string | null | undefined; after !== null;) {
      const page = { ...args, p_after: after };
      after = await paced.piece(() => roomsClose.call(this.database, tenantId, page));
      if (paced.isOver) return 'later';
    }
    return undefined;
  }

  /** Deletes the rows of every table, again and again until none had any. */
  private async empty(paced: Paced, deletion: DeletionRef): Promise<Stop | undefined> {
    for (let total = 1; total > 0;) {
      total = 0;
      for (const table of this.rows.tables) {
        const removed = await this.emptyTable(paced, deletion, table);
        if (typeof removed === 'string') return removed;
        total += removed;
      }
    }
    return undefined;
  }

  private async emptyTable(paced: Paced, deletion: DeletionRef, table: TenantTable): Promise<number | Stop> {
    let total = 0;
    for (let from = table.beginning; ;) {
      const removed = await paced.piece(() => this.rows.remove(deletion, table, from));
      if (removed === undefined) return 'over';
      const { deleted, reached } = removed;
      if (deleted > 0) this.metrics.counter('chatapi_removed_rows_total').labels({ work: 'deletion' }).inc(deleted);
      total += deleted;
      if (deleted < ROWS_AT_ONCE) return total;
      if (paced.isOver) return 'later';
      from = reached;
    }
  }
}
