import { Injectable } from '@nestjs/common';
import { Receipts, type Undelivered } from '../../realtime';
import { DeadLettersRepository } from './dead-letters/dead-letters.repository';
import { DeliveryRepository } from './delivery.repository';

/** What the socket has to know of the members' cursors, and where it leaves what it gave up on. */
@Injectable()
export class MemberReceipts extends Receipts {
  constructor(
    private readonly cursors: DeliveryRepository,
    private readonly letters: DeadLettersRepository,
  ) {
    super();
  }

  async acked(tenantId: string, userId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.cursors.positions(tenantId, userId, roomIds);
    return new Map(rows.map((row) => [row.room_id, row.acked_seq]));
  }

  giveUp(undelivered: Undelivered): Promise<void> {
    return this.letters.add(undelivered, 'ack timeout');
  }
}
