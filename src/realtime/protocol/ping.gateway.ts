import { WebSocketGateway } from '@nestjs/websockets';
import { SOCKET_PATH } from '../transport/paths';
import { PingFrameDto, PongFrameDto } from './dto/frames.dto';
import { SocketOperation } from './socket-operation';

/** Life signs that a browser can send: its WebSocket has no ping of its own. */
@WebSocketGateway({ path: SOCKET_PATH })
export class PingGateway {
  @SocketOperation({
    name: 'ping',
    dto: PingFrameDto,
    replies: { name: 'pong', dto: PongFrameDto },
    summary: 'Ask for a sign of life; counts as one for the heartbeat, as any frame does.',
  })
  ping(): PongFrameDto {
    return {};
  }
}
