import { WebSocketGateway } from '@nestjs/websockets';
import { type FrameContext, SOCKET_PATH, SocketOperation, TypingFrameDto } from '../../../realtime';
import { TypingService } from './typing.service';

@WebSocketGateway({ path: SOCKET_PATH })
export class TypingGateway {
  constructor(private readonly typing: TypingService) {}

  @SocketOperation({
    name: 'typing.start',
    dto: TypingFrameDto,
    summary: 'Tell the others in a room of yours that you type; it stops by itself 10 seconds after the last start.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  start({ connection }: FrameContext, { room_id }: TypingFrameDto): Promise<void> {
    return this.typing.start(connection, room_id);
  }

  @SocketOperation({
    name: 'typing.stop',
    dto: TypingFrameDto,
    summary: 'Tell the others that you stopped typing.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  stop({ connection }: FrameContext, { room_id }: TypingFrameDto): Promise<void> {
    return this.typing.stop(connection, room_id);
  }
}
