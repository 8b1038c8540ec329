import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type TicketGrant, Tickets } from '../../platform/auth';
import { Database, SystemDatabase } from '../../platform/database';
import { every, Lifecycle, StopStage } from '../../platform/lifecycle';
import { Log } from '../../platform/logging';

const PURGE_INTERVAL_MS = 60_000;
const PURGE_BATCH = 5000;
/** Kept longer than they can be used, so that clocks that differ let no ticket be used twice. */
const KEPT_SECONDS = 300;

/** The socket tickets that were used: the first to insert a ticket's id has it. Unlogged: it outlives no ticket. */
@Injectable()
export class TicketsRepository extends Tickets implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {
    super();
  }

  onModuleInit(): void {
    const timer = every(PURGE_INTERVAL_MS, 'socket ticket purge', () => this.purge(), this.log);
    this.lifecycle.onStop(StopStage.workers, 'socket ticket purge', () => timer.stop());
  }

  async redeem({ tenant, ticketId, usableUntilMs }: TicketGrant): Promise<boolean> {
    const rows = await this.database.read(
      'redeem ticket',
      tenant.tenantId,
      `INSERT INTO ws_tickets (tenant_id, ticket_id, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING ticket_id`,
      [tenant.tenantId, ticketId, new Date(usableUntilMs)],
    );
    return rows.length > 0;
  }

  /** Deletes all that have expired long ago; returns how many. */
  async purge(): Promise<number> {
    let total = 0;
    for (let n = PURGE_BATCH; n === PURGE_BATCH; total += n) {
      const rows = await this.system.read<{ n: number }>(
        'purge tickets',
        `WITH gone AS (DELETE FROM ws_tickets WHERE ctid IN (
           SELECT ctid FROM ws_tickets WHERE expires_at < clock_timestamp() - make_interval(secs => ${KEPT_SECONDS})
           LIMIT ${PURGE_BATCH}) RETURNING 1)
         SELECT count(*)::int AS n FROM gone`,
      );
      n = rows[0]?.n ?? 0;
    }
    return total;
  }
}
