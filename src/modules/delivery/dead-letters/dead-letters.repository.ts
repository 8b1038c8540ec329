import { Injectable } from '@nestjs/common';
import { Database, SystemDatabase } from '../../../platform/database';
import type { Undelivered } from '../../../platform/realtime';
import type { DeadLetterSelection } from './sources';

export interface LetterRow {
  readonly id: string;
  readonly message_id: string;
  readonly user_id: string;
  readonly room_id: string;
  readonly attempts: number;
  readonly last_attempt_at: Date;
  readonly error: string;
}

/** Messages to be sent again. */
export interface RunRow {
  readonly room_id: string;
  readonly user_id: string;
  readonly from_seq: number;
  readonly to_seq: number;
}

@Injectable()
export class DeadLettersRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /** What has been acknowledged by now is left out, and everything where the membership or the room has ended. */
  async add({ tenantId, roomId, userId, fromSeq, toSeq, attempts }: Undelivered, error: string): Promise<void> {
    const values = [tenantId, roomId, userId, fromSeq, toSeq, attempts, error];
    await this.database.call('add dead letters', tenantId, 'dead_letters_add', values);
  }

  /** At most `limit` letters, the last attempted first. */
  page(tenantId: string, limit: number): Promise<LetterRow[]> {
    return this.database.query<LetterRow>('list dead letters', tenantId, 'SELECT * FROM dead_letters_page($1, $2)', [
      tenantId,
      limit,
    ]);
  }

  /** Counts an attempt of what fits: at most `limit` runs, in the order of their key, after the given one. */
  async replay(
    tenantId: string,
    { ids, roomId, userId, before }: DeadLetterSelection,
    after: RunRow | undefined,
    limit: number,
  ): Promise<RunRow[]> {
    const place = [after?.room_id ?? null, after?.user_id ?? null, after?.from_seq ?? null];
    const result = await this.database.call<{ letters: RunRow[] }>(
      'replay dead letters',
      tenantId,
      'dead_letters_replay',
      [tenantId, ids ?? null, roomId ?? null, userId ?? null, before ?? null, ...place, limit],
    );
    return result.letters;
  }

  /** false: there is none. */
  async drop(tenantId: string, id: string): Promise<boolean> {
    const result = await this.database.call<{ status: string }>('drop dead letter', tenantId, 'dead_letters_drop', [
      tenantId,
      id,
    ]);
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
