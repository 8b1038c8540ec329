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

/** The letter of one message for one member. */
export interface MemberLetterRow {
  readonly id: string;
  readonly user_id: string;
  readonly attempts: number;
  readonly last_attempt_at: Date;
  readonly error: string;
}

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

  /** The letters of one message for these members; those without one are missing. */
  ofMessage(tenantId: string, roomId: string, seq: number, userIds: readonly string[]): Promise<MemberLetterRow[]> {
    return this.database.query<MemberLetterRow>(
      'dead letters of a message',
      tenantId,
      `SELECT dead_letter_id(d.letter_no, $3) AS id, d.user_id, d.attempts, d.last_attempt_at, d.error
       FROM unnest($4::text[]) u(user_id), LATERAL (SELECT x.* FROM dead_letters x WHERE x.tenant_id = $1 AND x.room_id = $2
         AND x.user_id = u.user_id AND x.from_seq <= $3 ORDER BY x.from_seq DESC LIMIT 1) d
       WHERE d.to_seq >= $3`,
      [tenantId, roomId, seq, userIds],
    );
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
