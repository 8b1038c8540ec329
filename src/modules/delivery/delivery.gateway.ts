import { WebSocketGateway } from '@nestjs/websockets';
import { type FrameContext, Redelivery, SOCKET_PATH, SocketOperation } from '../../realtime';
import { DeliveryService } from './delivery.service';
import { PositionDto, PositionReceivedFrameDto } from './dto/position.dto';

@WebSocketGateway({ path: SOCKET_PATH })
export class DeliveryGateway {
  constructor(
    private readonly delivery: DeliveryService,
    private readonly redelivery: Redelivery,
  ) {}

  @SocketOperation({
    name: 'ack',
    dto: PositionDto,
    replies: { name: 'ack.received', dto: PositionReceivedFrameDto },
    summary:
      'Acknowledge messages: I have everything up to and including seq. Only moves forward. From its first ack on, a connection is sent again what it does not acknowledge.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  async ack({ caller, connection }: FrameContext, frame: PositionDto): Promise<PositionReceivedFrameDto> {
    await this.delivery.ack(caller, frame);
    this.redelivery.acks(connection);
    return { ...frame, user_id: caller.userId };
  }

  @SocketOperation({
    name: 'read',
    dto: PositionDto,
    replies: { name: 'read.received', dto: PositionReceivedFrameDto },
    summary: 'Mark messages read, up to and including seq; implies the acknowledgement.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  async read({ caller }: FrameContext, frame: PositionDto): Promise<PositionReceivedFrameDto> {
    await this.delivery.read(caller, frame);
    return { ...frame, user_id: caller.userId };
  }
}
