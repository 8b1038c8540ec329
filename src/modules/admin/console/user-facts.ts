import { Injectable } from '@nestjs/common';
import { DeliveryService } from '../../delivery';
import { type MessageDto, MessageFacts } from '../../messages';
import { type Membership, RoomLists } from '../../rooms';
import type { AdminMembershipDto } from '../dto/console.dto';
import { adminRoomView, NEWEST, placeView } from './views';

/** Rooms whose messages are looked through for those of a user, and messages of each. */
const [BUSY_ROOMS, REACH] = [50, 200];

/** What is known of users beyond their rows. */
@Injectable()
export class UserFacts {
  constructor(
    private readonly lists: RoomLists,
    private readonly delivery: DeliveryService,
    private readonly messages: MessageFacts,
  ) {}

  async memberships(tenantId: string, userId: string, rooms: readonly Membership[]): Promise<AdminMembershipDto[]> {
    const positions = await this.delivery.positions(
      tenantId,
      userId,
      rooms.map(({ room_id: roomId, joined_seq: joinedSeq }) => ({ roomId, joinedSeq })),
    );
    return rooms.map((room) => ({ ...placeView(room, positions.get(room.room_id)), room: adminRoomView(room) }));
  }

  /** The newest messages of a user, as far as they are found in a bounded number of rows. */
  async newest(tenantId: string, userId: string): Promise<MessageDto[]> {
    const rooms = await this.lists.busiest(tenantId, userId, BUSY_ROOMS);
    return this.messages.newestBy(tenantId, userId, rooms, { reach: REACH, limit: NEWEST });
  }
}
