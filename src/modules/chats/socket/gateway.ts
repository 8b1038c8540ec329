import { WebSocketGateway } from '@nestjs/websockets';
import { decodeId, encodeId } from '../../../common/ids';
import { type FrameContext, SocketOperation } from '../../../realtime';
import { answerOptions } from '../turns/turns.service';
import { TurnsService } from '../turns/turns.service';
import { noSuchAnswer } from '../events';
import {
  ChatMessageFrameDto,
  ChatPingFrameDto,
  ChatPongEventDto,
  ResumeFrameDto,
  StopFrameDto,
  StoppedEventDto,
} from './dto/frames.dto';
import { CHAT_SOCKET_PATH } from './endpoint';
import { ChatSessions } from './sessions';

/** What clients of a chat send. What comes of it is an event to all connections of the chat; only refusals are replies. */
@WebSocketGateway({ path: CHAT_SOCKET_PATH })
export class ChatGateway {
  constructor(
    private readonly turns: TurnsService,
    private readonly sessions: ChatSessions,
  ) {}

  @SocketOperation({
    name: 'message',
    dto: ChatMessageFrameDto,
    family: 'message',
    summary: 'Say something: message_received follows after the commit, then the answer.',
    errors: [
      'CONFLICT',
      'IDEMPOTENCY_MISMATCH',
      'AUTHORIZATION_ERROR',
      'QUOTA_EXCEEDED',
      'CHANNEL_UNAVAILABLE',
      'NOT_FOUND',
    ],
  })
  async send({ connection, caller, requestId }: FrameContext, frame: ChatMessageFrameDto): Promise<void> {
    const session = this.sessions.of(connection);
    const origin = { connectionId: connection.id, requestId };
    const { content, client_message_id: clientMessageId } = frame;
    const metadata = metadataOf(frame);
    const turn = await this.turns.send(caller, session.chat, {
      content,
      metadata,
      clientMessageId,
      options: answerOptions(caller, frame),
      origin,
    });
    if (!turn.replayed) return;
    session.repeat({ type: 'message', message: turn.message, clientMessageId: clientMessageId ?? null, origin });
  }

  @SocketOperation({
    name: 'stop',
    dto: StopFrameDto,
    replies: { name: 'stopped', dto: StoppedEventDto },
    summary: 'End the answers that are written or wait; what there is of them is kept. Answered once they have ended.',
    errors: ['NOT_FOUND'],
  })
  async stop({ connection, caller }: FrameContext): Promise<StoppedEventDto> {
    const answers = await this.turns.stop(caller, this.sessions.of(connection).chat);
    return { message_ids: answers.map(({ messageId }) => encodeId('message', messageId)) };
  }

  @SocketOperation({
    name: 'resume',
    dto: ResumeFrameDto,
    summary: 'Have an answer, running or ended, from some token on: message_stream_started, what follows, and its end.',
    errors: ['NOT_FOUND'],
  })
  async resume({ connection }: FrameContext, { message_id, after_index }: ResumeFrameDto): Promise<void> {
    const runId = decodeId('message', message_id);
    if (runId === undefined) throw noSuchAnswer();
    await this.sessions.of(connection).resume({ runId, afterIndex: after_index });
  }

  @SocketOperation({
    name: 'ping',
    dto: ChatPingFrameDto,
    replies: { name: 'pong', dto: ChatPongEventDto },
    summary: 'Ask for a sign of life; counts as one for the heartbeat, as any frame does.',
  })
  ping(): ChatPongEventDto {
    return {};
  }
}

/** Text was found to hold an object when the frame was validated. */
function metadataOf({ metadata }: ChatMessageFrameDto): Record<string, unknown> | undefined {
  return typeof metadata === 'string' ? (JSON.parse(metadata) as Record<string, unknown>) : metadata;
}
