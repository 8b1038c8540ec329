import { Injectable } from '@nestjs/common';
import { notAMember, notFound } from '../../../common/errors';
import { Audience, type Connection, type Seat, Seats, Subscriptions } from '../../../realtime';
import { roomUuid } from '../access';

/** Which rooms a connection listens to. */
@Injectable()
export class RoomSubscriptionsService {
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly audience: Audience,
    private readonly seats: Seats,
  ) {}

  /** @throws 404 where there is no such room, 403 for who may not see it */
  async subscribe(connection: Connection, roomId: string): Promise<Seat> {
    return seated(await this.subscriptions.subscribe(connection, roomUuid(roomId)));
  }

  /**
   * What a connection does not want is remembered as long as it is open, so only rooms that it may have are: anything
   * else would let a client fill the memory with made-up ids.
   * @throws 404 where there is no such room, 403 for who may not see it
   */
  async unsubscribe(connection: Connection, roomId: string): Promise<void> {
    const uuid = roomUuid(roomId);
    const { tenantId, userId } = connection;
    if (!this.audience.isMember(connection, uuid)) seated(await this.seats.find(tenantId, uuid, userId));
    this.subscriptions.unsubscribe(connection, uuid);
  }
}

function seated(found: Seat | 'no_room' | 'not_allowed'): Seat {
  if (found === 'no_room') throw notFound('Room');
  if (found === 'not_allowed') throw notAMember();
  return found;
}
