import { Injectable } from '@nestjs/common';
import { Presence } from '../../realtime';
import { DeliveryService } from '../delivery';
import type { MessageDto } from '../messages';
import { RoomFacts } from '../rooms';

/** Members per call (contract §8). */
const PAGE = 1000;

/** Some of a room's members. */
export interface OfflinePage {
  /** Where it begins in the order of joining: the same members, whoever asks. */
  readonly page: number;
  /** Those without a connection who wait for this message. */
  readonly userIdsOf: (message: MessageDto) => readonly string[];
}

/** Which members of a room have no connection and have not acknowledged, a page at a time. */
@Injectable()
export class OfflineMembers {
  constructor(
    private readonly rooms: RoomFacts,
    private readonly delivery: DeliveryService,
    private readonly presence: Presence,
  ) {}

  async *pages(tenantId: string, roomId: string): AsyncGenerator<OfflinePage> {
    for (let after = 0; ;) {
      const members = await this.rooms.membersAfter(tenantId, roomId, after, PAGE);
      const ids = members.map((member) => member.user_id);
      const online = await this.presence.online(tenantId, ids);
      const offline = members.filter((member) => !online.has(member.user_id));
      const acked = await this.delivery.ackedBy(
        tenantId,
        roomId,
        offline.map((member) => member.user_id),
      );
      yield {
        page: after,
        userIdsOf: ({ seq, sender_id }) =>
          offline
            .filter(
              ({ user_id, joined_seq }) => Math.max(joined_seq, acked.get(user_id) ?? 0) < seq && user_id !== sender_id,
            )
            .map((member) => member.user_id),
      };
      const last = members.at(-1);
      if (last === undefined || members.length < PAGE) return;
      after = last.member_no;
    }
  }
}
