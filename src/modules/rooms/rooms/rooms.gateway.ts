import { WebSocketGateway } from '@nestjs/websockets';
import {
  type FrameContext,
  SOCKET_PATH,
  SocketOperation,
  SubscribedFrameDto,
  SubscriptionFrameDto,
  UnsubscribedFrameDto,
} from '../../../realtime';
import { RoomSubscriptionsService } from './subscriptions.service';

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
    const seat = await this.subscriptions.subscribe(connection, room_id);
    return { room_id, last_seq: seat.lastSeq, last_rev: seat.lastRev };
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
