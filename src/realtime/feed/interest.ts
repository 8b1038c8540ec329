import { Injectable } from '@nestjs/common';
import { Batching } from '../../common/batching';
import { roomAddress, userAddress } from '../../common/ids';
import { Bus } from '../../platform/cluster';
import { Channels } from './channels';
import { STREAM_ASKS } from './heard-streams';
import { Resync, type RoomRef, ROOMS_AT_ONCE } from './resync';

/**
 * What this node wants to hear from the others: of rooms with a channel here, and of users with a connection here.
 *
 * Invariant: between a channel's position and what the channel hears nothing is missing. The position was read before the
 * room was followed, and what was committed in between was told to others alone: so as soon as a room is followed, its
 * channel is compared with the database, once, and many rooms together, and the other nodes are asked for what they write
 * there. Where there is no other node that is not needed.
 */
@Injectable()
export class FeedInterest {
  private readonly comparisons: Batching<RoomRef, undefined>;

  constructor(
    private readonly bus: Bus,
    channels: Channels,
    resync: Resync,
  ) {
    this.comparisons = new Batching(async (rooms) => {
      bus.publish(STREAM_ASKS, { rooms });
      await resync.compareRooms(rooms);
      return rooms.map(() => undefined);
    }, ROOMS_AT_ONCE);
    channels.onRoom((tenantId, roomId, isHere) => {
      if (isHere) void this.followRoom({ tenantId, roomId });
      else bus.unfollow(roomAddress(tenantId, roomId));
    });
  }

  /** A connection of the user is here; resolves when no other node adds the user to a room without this one hearing of it. */
  followUser(tenantId: string, userId: string): Promise<void> {
    return this.bus.follow(userAddress(tenantId, userId));
  }

  /** To be called as often as `followUser`. */
  unfollowUser(tenantId: string, userId: string): void {
    this.bus.unfollow(userAddress(tenantId, userId));
  }

  private async followRoom(room: RoomRef): Promise<void> {
    await this.bus.follow(roomAddress(room.tenantId, room.roomId));
    if (this.bus.isShared) await this.comparisons.submit(room);
  }
}
