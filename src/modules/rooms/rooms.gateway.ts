import { WebSocketGateway } from '@nestjs/websockets';
import { forbidden, notFound } from '../../common/errors';
import {
  type FrameContext,
  SOCKET_PATH,
  SocketOperation,
  SubscribedFrameDto,
  SubscriptionFrameDto,
  Subscriptions,
  UnsubscribedFrameDto,
} from '../../platform/realtime';
import { roomUuid } from './rooms.service';

@WebSocketGateway({ path: SOCKET_PATH })
export class RoomsGateway {
  constructor(private readonly subscriptions: Subscriptions) {}

  @SocketOperation({
    name: 'subscribe',
    dto: SubscriptionFrameDto,
    replies: { name: 'subscribed', dto: SubscribedFrameDto },
    waitsForSends: true,
    summary: 'Get what happens in a room on this connection: a room of yours (again, after unsubscribe) or a channel.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  async subscribe({ connection }: FrameContext, { room_id }: SubscriptionFrameDto): Promise<SubscribedFrameDto> {
    const seat = await this.subscriptions.subscribe(connection, roomUuid(room_id));
    if (seat === 'no_room') throw notFound('Room');
    if (seat === 'not_allowed') throw forbidden('You are not a member of this room');
    return { room_id, last_seq: seat.lastSeq, last_rev: seat.lastRev };
  }

  @SocketOperation({
    name: 'unsubscribe',
    dto: SubscriptionFrameDto,
    replies: { name: 'unsubscribed', dto: UnsubscribedFrameDto },
    waitsForSends: true,
    summary: 'Get nothing more of a room on this connection; membership and other connections stay as they are.',
    errors: ['NOT_FOUND'],
  })
  unsubscribe({ connection }: FrameContext, { room_id }: SubscriptionFrameDto): UnsubscribedFrameDto {
    this.subscriptions.unsubscribe(connection, roomUuid(room_id));
    return { room_id };
  }
}
