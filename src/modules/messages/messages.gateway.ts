import { WebSocketGateway } from '@nestjs/websockets';
import { type FrameContext, SOCKET_PATH, SocketOperation } from '../../realtime';
import { MessageAcceptedFrameDto, SendMessageFrameDto } from './dto/message.dto';
import { MessagesService } from './messages.service';

@WebSocketGateway({ path: SOCKET_PATH })
export class MessagesGateway {
  constructor(private readonly messages: MessagesService) {}

  @SocketOperation({
    name: 'send_message',
    dto: SendMessageFrameDto,
    family: 'message',
    replies: { name: 'message.accepted', dto: MessageAcceptedFrameDto },
    summary: 'Send a message. Answered after its durable commit; a retry with the same client_message_id is replayed.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND', 'IDEMPOTENCY_MISMATCH'],
  })
  async send({ caller }: FrameContext, frame: SendMessageFrameDto): Promise<MessageAcceptedFrameDto> {
    const accepted = await this.messages.sendMessage(caller, frame.room_id, frame);
    return { room_id: frame.room_id, ...accepted, ...(caller.replayed ? { replayed: true } : {}) };
  }
}
