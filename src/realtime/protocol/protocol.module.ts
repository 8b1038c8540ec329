import { Module } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { SOCKET_PATH, TransportModule } from '../transport';
import { Dispatcher } from './dispatcher';
import { PingFrameDto, PongFrameDto } from './dto/frames.dto';
import { SocketOperation, SocketOperations } from './operations';

/** Life signs that a browser can send: its WebSocket has no ping of its own. */
@WebSocketGateway({ path: SOCKET_PATH })
class PingGateway {
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

@Module({
  imports: [TransportModule],
  providers: [SocketOperations, Dispatcher, PingGateway],
})
export class ProtocolModule {}
