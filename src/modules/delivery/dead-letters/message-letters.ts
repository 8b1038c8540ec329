import { Injectable } from '@nestjs/common';
import { encodeId } from '../../../common/ids';
import type { Sql } from '../../../platform/database';
import { Redelivery } from '../../../realtime';
import type { FailedMessageDto } from '../dto/dead-letter.dto';
import type { LetterRow, DeadLetterRunRow } from '../delivery.functions';
import { DeadLettersRepository } from './dead-letters.repository';
import { type DeadLetterSelection, DeadLetterSource, type DeadLetters } from './sources';

/** Runs of letters per statement of a replay. */
const BATCH = 1000;

/** Messages that connections gave up on. */
@Injectable()
@DeadLetterSource('message')
export class MessageLetters implements DeadLetters<'message'> {
  constructor(
    private readonly repository: DeadLettersRepository,
    private readonly redelivery: Redelivery,
  ) {}

  async list(tenantId: string, limit: number): Promise<FailedMessageDto[]> {
    return (await this.repository.page(tenantId, limit)).map(letterView);
  }

  /** Sends to connected members; the others get it on their next connect, since it is not acknowledged. */
  async replay(tenantId: string, selection: DeadLetterSelection): Promise<number> {
    let replayed = 0;
    for (let last: DeadLetterRunRow | undefined, more = true; more;) {
      const runs = await this.repository.replay(tenantId, selection, last, BATCH);
      this.redelivery.sendAgain(
        runs.map((run) => ({
          tenantId,
          roomId: run.room_id,
          userId: run.user_id,
          fromSeq: run.from_seq,
          toSeq: run.to_seq,
        })),
      );
      replayed += runs.reduce((count, run) => count + run.to_seq - run.from_seq + 1, 0);
      last = runs.at(-1);
      // Ids are at most as many as a batch holds.
      more = selection.ids === undefined && runs.length === BATCH;
    }
    return replayed;
  }

  drop(tx: Sql, tenantId: string, id: string): Promise<boolean> {
    return this.repository.drop(tx, tenantId, id);
  }

  count(): Promise<number> {
    return this.repository.count();
  }
}

function letterView(row: LetterRow): FailedMessageDto {
  return {
    id: encodeId('deadLetter', row.id),
    message_id: encodeId('message', row.message_id),
    user_id: row.user_id,
    room_id: encodeId('room', row.room_id),
    attempts: row.attempts,
    last_attempt_at: row.last_attempt_at.toISOString(),
    error: row.error,
  };
}
