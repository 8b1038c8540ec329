import { Injectable } from '@nestjs/common';
import { Tickets } from '../../platform/auth';
import { Database, Epoch, purgeExpired, SystemDatabase } from '../../platform/database';
import { Every } from '../../platform/lifecycle';

const PURGE_INTERVAL_MS = 60_000;
/** Kept longer than they can be used, so that clocks that differ let no ticket be used twice. */
const KEPT_SECONDS = 300;

/** A ticket, of a socket or of a file. */
export interface UsedTicket {
  readonly tenant: { readonly tenantId: string };
  /** UUID. */
  readonly ticketId: string;
  /** In milliseconds since 1970. */
  readonly usableUntilMs: number;
  /** As `TicketsRepository.timeline` was when it was made. */
  readonly timeline: number | undefined;
}

/**
 * The tickets that were used: the first to insert a ticket's id has it. Unlogged: it outlives no ticket, and is empty on a
 * standby that was promoted, so a ticket is good on the timeline alone on which it was made.
 */
@Injectable()
export class TicketsRepository extends Tickets {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly epoch: Epoch,
  ) {
    super();
  }

  /** Where tickets are good that are made now. */
  get timeline(): number | undefined {
    return this.epoch.timeline;
  }

  async redeem({ tenant, ticketId, usableUntilMs, timeline }: UsedTicket): Promise<boolean> {
    if (timeline !== this.timeline) return false;
    const rows = await this.database.query(
      'redeem ticket',
      tenant.tenantId,
      `INSERT INTO ws_tickets (tenant_id, ticket_id, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING ticket_id`,
      [tenant.tenantId, ticketId, new Date(usableUntilMs)],
    );
    // The row may have been written after a failover.
    return rows.length > 0 && timeline === this.timeline;
  }

  /** Deletes all that have expired long ago; returns how many. */
  @Every(PURGE_INTERVAL_MS, 'socket ticket purge')
  purge(): Promise<number> {
    return purgeExpired(this.system, 'purge tickets', 'ws_tickets', KEPT_SECONDS);
  }
}
