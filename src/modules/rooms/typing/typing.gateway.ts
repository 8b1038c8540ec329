import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { notAMember, notFound } from '../../../common/errors';
import {
  Audience,
  type Connection,
  type FrameContext,
  SOCKET_PATH,
  SocketOperation,
  Typing,
  TypingFrameDto,
} from '../../../realtime';
import { roomUuid } from '../views';
import { RoomsRepository } from '../rooms/rooms.repository';

/** Members that type. A connection in the room's channel costs no query; only the user of another is looked up. */
@Injectable()
export class TypingService {
  constructor(
    private readonly typing: Typing,
    private readonly audience: Audience,
    private readonly repository: RoomsRepository,
  ) {}

  /** @throws 404 where there is no such room, 403 for a user that is no member of it */
  async start(connection: Connection, roomId: string): Promise<void> {
    const uuid = await this.member(connection, roomId);
    this.typing.startTyping(connection, uuid);
  }

  /** @throws 404 where there is no such room, 403 for a user that is no member of it */
  async stop(connection: Connection, roomId: string): Promise<void> {
    const uuid = await this.member(connection, roomId);
    this.typing.stopTyping(connection, uuid);
  }

  private async member(connection: Connection, roomId: string): Promise<string> {
    const uuid = roomUuid(roomId);
    if (this.audience.isMember(connection, uuid)) return uuid;
    const access = await this.repository.access(connection.tenantId, uuid, connection.userId);
    if (!access) throw notFound('Room');
    if (access.role === null) throw notAMember();
    return uuid;
  }
}

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
