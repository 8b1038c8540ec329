import { Injectable } from '@nestjs/common';
import { Tickets } from '../../platform/auth';
import { Database, purgeExpired, SystemDatabase } from '../../platform/database';
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
}

/** The tickets that were used: the first to insert a ticket's id has it. Unlogged: it outlives no ticket. */
@Injectable()
export class TicketsRepository extends Tickets {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {
    super();
  }

  async redeem({ tenant, ticketId, usableUntilMs }: UsedTicket): Promise<boolean> {
    const rows = await this.database.query(
      'redeem ticket',
      tenant.tenantId,
      `INSERT INTO ws_tickets (tenant_id, ticket_id, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING ticket_id`,
      [tenant.tenantId, ticketId, new Date(usableUntilMs)],
    );
    return rows.length > 0;
  }

  /** Deletes all that have expired long ago; returns how many. */
  @Every(PURGE_INTERVAL_MS, 'socket ticket purge')
  purge(): Promise<number> {
    return purgeExpired(this.system, 'purge tickets', 'ws_tickets', KEPT_SECONDS);
  }
}
