import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { notAMember, notFound } from '../../../common/errors';
import {
  Audience,
  type Connection,
  type FrameContext,
  type RoomPosition,
  RoomPositions,
  SOCKET_PATH,
  SocketOperation,
  SubscribedFrameDto,
  SubscriptionFrameDto,
  Subscriptions,
  UnsubscribedFrameDto,
} from '../../../realtime';
import { roomUuid } from '../views';

/** Which rooms a connection listens to. */
@Injectable()
export class RoomSubscriptionsService {
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly audience: Audience,
    private readonly positions: RoomPositions,
  ) {}

  /** @throws 404 where there is no such room, 403 for a user that may not see it */
  async subscribe(connection: Connection, roomId: string): Promise<RoomPosition> {
    return positionOrThrow(await this.subscriptions.subscribeConnection(connection, roomUuid(roomId)));
  }

  /**
   * What a connection does not want is remembered as long as it is open, so only rooms that it may have are: anything
   * else would let a client fill the memory with made-up ids.
   * @throws 404 where there is no such room, 403 for a user that may not see it
   */
  async unsubscribe(connection: Connection, roomId: string): Promise<void> {
    const uuid = roomUuid(roomId);
    const { tenantId, userId } = connection;
    if (!this.audience.isMember(connection, uuid))
      positionOrThrow(await this.positions.findPosition(tenantId, uuid, userId));
    this.subscriptions.unsubscribeConnection(connection, uuid);
  }
}

function positionOrThrow(found: RoomPosition | 'no_room' | 'not_allowed'): RoomPosition {
  if (found === 'no_room') throw notFound('Room');
  if (found === 'not_allowed') throw notAMember();
  return found;
}

@WebSocketGateway({ path: SOCKET_PATH })
export class RoomsGateway {
  constructor(private readonly subscriptions: RoomSubscriptionsService) {}

  @SocketOperation({
    name: 'subscribe',
    dto: SubscriptionFrameDto,
    replies: { name: 'subscribed', dto: SubscribedFrameDto },
    waitsForSends: true,
    summary: 'Get what happens in a room on this connection: a room of yours (again, after unsubscribe) or a channel.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  async subscribe({ connection }: FrameContext, { room_id }: SubscriptionFrameDto): Promise<SubscribedFrameDto> {
    const roomPosition = await this.subscriptions.subscribe(connection, room_id);
    return { room_id, last_seq: roomPosition.lastSeq, last_rev: roomPosition.lastRev };
  }

  @SocketOperation({
    name: 'unsubscribe',
    dto: SubscriptionFrameDto,
    replies: { name: 'unsubscribed', dto: UnsubscribedFrameDto },
    waitsForSends: true,
    summary: 'Get nothing more of a room on this connection; membership and other connections stay as they are.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  async unsubscribe({ connection }: FrameContext, { room_id }: SubscriptionFrameDto): Promise<UnsubscribedFrameDto> {
    await this.subscriptions.unsubscribe(connection, room_id);
    return { room_id };
  }
}
