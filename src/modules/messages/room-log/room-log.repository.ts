import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import type { Position } from '../../../realtime';
import type { LogRow } from './merge';

/**
 * What lies after revision $3 and message $4, in one snapshot. Of what is kept every seq exists, so the messages beyond a
 * page of $5 are those after its beginning + $5.
 */
const AFTER = `
WITH w AS MATERIALIZED (SELECT GREATEST($4::bigint, f.first_seq - 1) AS seq FROM (
  SELECT COALESCE((SELECT first_seq FROM room_keeps($1, $2)), 1) AS first_seq) f)
(SELECT 'new' AS kind, m.rev, m.seq, NULL AS type, message_json(m) AS payload FROM messages m
 WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq > (SELECT seq FROM w)
   AND m.seq <= (SELECT seq + $5::bigint FROM w) ORDER BY m.seq)
UNION ALL
(SELECT 'beyond', m.rev, NULL, NULL, NULL FROM messages m
 WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq > (SELECT seq + $5::bigint FROM w) AND m.rev > $3
 ORDER BY m.rev LIMIT 1)
UNION ALL
(SELECT 'changed', m.rev, m.seq, NULL, message_json(m) FROM messages m
 WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.rev > $3 AND m.seq <= $4 ORDER BY m.rev LIMIT $5::bigint + 1)
UNION ALL
(SELECT 'event', e.rev, NULL, e.type, e.payload FROM room_events_after($1, $2, $3) e
 ORDER BY e.rev LIMIT $5::bigint + 1)`;

@Injectable()
export class RoomLogRepository {
  constructor(private readonly database: Database) {}

  /** The rows that mergeLog takes. */
  after(tenantId: string, roomId: string, { rev, seq }: Position, limit: number): Promise<LogRow[]> {
    return this.database.query<LogRow & { kind: LogRow['kind'] }>('log after', tenantId, AFTER, [
      tenantId,
      roomId,
      rev,
      seq,
      limit,
    ]);
  }
}
