import { Injectable } from '@nestjs/common';
import { notAMember, notFound } from '../../../common/errors';
import { Audience, type Connection, Typing } from '../../../realtime';
import { roomUuid } from '../access';
import { RoomsRepository } from '../rooms/rooms.repository';

/** Members that type. Who sits in the room's channel costs no query; only who does not is looked up. */
@Injectable()
export class TypingService {
  constructor(
    private readonly typing: Typing,
    private readonly audience: Audience,
    private readonly repository: RoomsRepository,
  ) {}

  /** @throws 404 where there is no such room, 403 for who is no member of it */
  async start(connection: Connection, roomId: string): Promise<void> {
    const uuid = await this.member(connection, roomId);
    this.typing.start(connection, uuid);
  }

  /** @throws 404 where there is no such room, 403 for who is no member of it */
  async stop(connection: Connection, roomId: string): Promise<void> {
    const uuid = await this.member(connection, roomId);
    this.typing.stop(connection, uuid);
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
