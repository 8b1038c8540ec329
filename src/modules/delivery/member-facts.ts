import { Injectable } from '@nestjs/common';
import { encodeId } from '../../common/ids';
import { DeadLettersRepository } from './dead-letters/dead-letters.repository';
import { DeliveryRepository } from './delivery.repository';

/** How far a member has got in a room, as stored. */
export interface MemberCursor {
  /** Either may be older than the membership, whose `joined_seq` then counts. */
  readonly ackedSeq: number;
  readonly readSeq: number;
  /** When one of the two was moved last. */
  readonly movedAt: Date;
}

/** That a member's connections gave up on a message. */
export interface MemberLetter {
  /** `dl_…` */
  readonly id: string;
  readonly attempts: number;
  readonly lastAttemptAt: Date;
  readonly error: string;
}

/** What is stored of members of a room, as the server's own work sees it: no caller, no access rule. By user id. */
@Injectable()
export class MemberFacts {
  constructor(
    private readonly cursors: DeliveryRepository,
    private readonly letters: DeadLettersRepository,
  ) {}

  /** Who has never acknowledged anything is missing. @param roomId UUID */
  async cursorsIn(
    tenantId: string,
    roomId: string,
    userIds: readonly string[],
  ): Promise<ReadonlyMap<string, MemberCursor>> {
    const rows = await this.cursors.cursorsIn(tenantId, roomId, userIds);
    return new Map(
      rows.map((row) => [row.user_id, { ackedSeq: row.acked_seq, readSeq: row.read_seq, movedAt: row.updated_at }]),
    );
  }

  /** Who has none of the message is missing. @param roomId UUID */
  async lettersOf(
    tenantId: string,
    roomId: string,
    seq: number,
    userIds: readonly string[],
  ): Promise<ReadonlyMap<string, MemberLetter>> {
    const rows = await this.letters.ofMessage(tenantId, roomId, seq, userIds);
    return new Map(
      rows.map(({ id, user_id, attempts, last_attempt_at: lastAttemptAt, error }) => [
        user_id,
        { id: encodeId('deadLetter', id), attempts, lastAttemptAt, error },
      ]),
    );
  }
}
