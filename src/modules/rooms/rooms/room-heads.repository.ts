import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database';

export interface RoomHead {
  readonly tenantId: string;
  readonly roomId: string;
  readonly rev: number;
}

/** How far rooms have got, of all tenants at once: a poll of revisions that shows no content. */
@Injectable()
export class RoomHeads {
  constructor(private readonly system: SystemDatabase) {}

  /** Deleted rooms included; those that do not exist are left out. */
  async headsOf(rooms: readonly Omit<RoomHead, 'rev'>[]): Promise<RoomHead[]> {
    if (rooms.length === 0) return [];
    const rows = await this.system.query<{ tenant_id: string; room_id: string; last_rev: number }>(
      'room heads',
      `SELECT r.tenant_id, r.room_id, r.last_rev FROM unnest($1::uuid[], $2::uuid[]) q(tenant_id, room_id)
       JOIN rooms r ON r.tenant_id = q.tenant_id AND r.room_id = q.room_id`,
      [rooms.map(({ tenantId }) => tenantId), rooms.map(({ roomId }) => roomId)],
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, roomId: row.room_id, rev: row.last_rev }));
  }
}
