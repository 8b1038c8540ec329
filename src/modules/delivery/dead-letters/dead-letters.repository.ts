import { Injectable } from '@nestjs/common';
import { Database, type Sql, SystemDatabase } from '../../../platform/database';
import type { Undelivered } from '../../../realtime';
import {
  deadLettersAdd,
  deadLettersDrop,
  deadLettersPage,
  deadLettersReplay,
  type LetterRow,
  type DeadLetterRunRow,
} from '../delivery.functions';
import type { DeadLetterSelection } from './sources';

@Injectable()
export class DeadLettersRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /** What has been acknowledged by now is left out, and everything where the membership or the room has ended. */
  async add({ tenantId, roomId, userId, fromSeq, toSeq, attempts }: Undelivered, error: string): Promise<void> {
    await deadLettersAdd.call(this.database, tenantId, {
      p_room: roomId,
      p_user: userId,
      p_from: fromSeq,
      p_to: toSeq,
      p_attempts: attempts,
      p_error: error,
    });
  }

  /** At most `limit` letters, the last attempted first. */
  page(tenantId: string, limit: number): Promise<LetterRow[]> {
    return deadLettersPage.call(this.database, tenantId, { p_limit: limit });
  }

  /** Counts an attempt of what fits: at most `limit` runs, in the order of their key, after the given one. */
  async replay(
    tenantId: string,
    { ids, roomId, userId, before }: DeadLetterSelection,
    after: DeadLetterRunRow | undefined,
    limit: number,
  ): Promise<DeadLetterRunRow[]> {
    const { letters } = await deadLettersReplay.call(this.database, tenantId, {
      p_ids: ids,
      p_room: roomId,
      p_user: userId,
      p_before: before,
      p_after_room: after?.room_id,
      p_after_user: after?.user_id,
      p_after_seq: after?.from_seq,
      p_limit: limit,
    });
    return letters;
  }

  /** false: there is none. */
  async drop(tx: Sql, tenantId: string, id: string): Promise<boolean> {
    const result = await deadLettersDrop.callIn(tx, tenantId, { p_id: id });
    return result.status === 'ok';
  }

  /** Of all tenants. */
  async count(): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'count dead letters',
      'SELECT COALESCE(sum(to_seq - from_seq + 1), 0)::bigint AS n FROM dead_letters',
    );
    return rows[0]?.n ?? 0;
  }
}
