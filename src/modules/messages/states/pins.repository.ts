import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import { statesIf } from '../messages.repository';
import { MESSAGE_COLUMNS, type MessageRow } from '../views';

export interface PinRow extends MessageRow {
  readonly pinned_by: string;
  readonly pinned_at: Date;
}

@Injectable()
export class PinsRepository {
  constructor(private readonly database: Database) {}

  /** What is pinned in a room, the newest first; undefined: no such room. */
  async of(
    tenantId: string,
    roomId: string,
    userId: string,
  ): Promise<{ readonly allowed: boolean; readonly rows: PinRow[] } | undefined> {
    const rows = await this.database.query<PinRow & { allowed: boolean }>(
      'pins of a room',
      tenantId,
      `SELECT a.allowed, p.pinned_by, p.pinned_at, ${MESSAGE_COLUMNS}, ${statesIf('a.has_states')}
       FROM room_access($1, $2, $3) a
       LEFT JOIN LATERAL (SELECT * FROM room_pins x WHERE x.tenant_id = $1 AND x.room_id = $2 AND x.pinned_at IS NOT NULL
         AND x.seq >= a.first_seq AND a.allowed AND a.has_states) p ON true
       LEFT JOIN messages m ON m.tenant_id = $1 AND m.room_id = $2 AND m.seq = p.seq
       ORDER BY p.pinned_at DESC, p.rev DESC`,
      [tenantId, roomId, userId],
    );
    const first = rows[0];
    return first && { allowed: first.allowed, rows: rows.filter((row) => (row.seq as number | null) !== null) };
  }
}
