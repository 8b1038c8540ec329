import { WebSocketGateway } from '@nestjs/websockets';
import { type FrameContext, SOCKET_PATH, SocketOperation } from '../../../realtime';
import { NotificationAckFrameDto } from '../dto/notification.dto';
import { NotificationSessions } from '../delivery/sessions';
import { NotificationsService } from './notifications.service';

@WebSocketGateway({ path: SOCKET_PATH })
export class NotificationsGateway {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly sessions: NotificationSessions,
  ) {}

  @SocketOperation({
    name: 'notification.ack',
    dto: NotificationAckFrameDto,
    replies: { name: 'notification.acked', dto: NotificationAckFrameDto },
    summary:
      'I have this notification. From the first one on, this connection gets again what it does not acknowledge.',
    errors: ['NOT_FOUND'],
  })
  async ack(
    { connection, caller }: FrameContext,
    { notification_id }: NotificationAckFrameDto,
  ): Promise<NotificationAckFrameDto> {
    const session = this.sessions.of(connection);
    session?.becomesAcknowledging();
    session?.settled(await this.notifications.ack(caller, notification_id));
    return { notification_id };
  }
}
