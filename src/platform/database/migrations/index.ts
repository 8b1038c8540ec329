import { Foundation1763600000000 } from './0001-foundation';
import { AppendCost1763683200000 } from './0002-append-cost';
import { WsTickets1763856000000 } from './0004-ws-tickets';

/** All migrations, oldest first. Forward only; each fit to run beside the previous release. */
export const MIGRATIONS = [Foundation1763600000000, AppendCost1763683200000, WsTickets1763856000000] as const;
