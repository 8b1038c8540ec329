import { WebSocketGateway } from '@nestjs/websockets';
import { type FrameContext, SOCKET_PATH, SocketOperation } from '../../../realtime';
import { ReactFrameDto, ReactionAcceptedFrameDto } from './dto/reaction.dto';
import { StatesService } from './states.service';

@WebSocketGateway({ path: SOCKET_PATH })
export class StatesGateway {
  constructor(private readonly states: StatesService) {}

  @SocketOperation({
    name: 'react',
    dto: ReactFrameDto,
    replies: { name: 'reaction.accepted', dto: ReactionAcceptedFrameDto },
    summary:
      'Give a message a reaction, or take it back. Answered after its durable commit; again it changes nothing and is answered the same.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND', 'CONFLICT'],
  })
  async react({ caller }: FrameContext, frame: ReactFrameDto): Promise<ReactionAcceptedFrameDto> {
    const target = { roomId: frame.room_id, messageId: frame.message_id };
    const { now } = await this.states.react(caller, target, frame.key, frame.on);
    const { room_id, message_id, seq, key, count } = now;
    return { room_id, message_id, seq, key, on: frame.on, count };
  }
}
