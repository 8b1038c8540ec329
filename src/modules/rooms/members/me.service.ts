import { Injectable } from '@nestjs/common';
import { invalid } from '../../../common/errors';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import { UserFrames } from '../../../realtime';
import type { MarkUnreadDto, RoomMeDto, UpdateMeDto } from '../dto/me.dto';
import { type MemberMeJson, memberSettingsSet, memberUnread } from '../rooms.functions';
import { roomUuid } from '../views';

/** What members set for themselves: their own connections are told, and nobody else. */
@Injectable()
export class MeService {
  constructor(
    private readonly effects: Effects,
    private readonly frames: UserFrames,
  ) {}

  /** Sets what is sent. @throws 400, 403 for who is no member, 404 */
  async update(caller: Caller, roomId: string, input: UpdateMeDto): Promise<RoomMeDto> {
    const { muted_until: until, hidden, favourite, notify } = input;
    if ([until, hidden, favourite, notify].every((value) => value === undefined))
      throw invalid('muted_until', 'Send at least one of muted_until, hidden, favourite, notify');
    const { me } = await this.effects.call(caller, memberSettingsSet, {
      p_room: roomUuid(roomId),
      p_user: caller.userId,
      p_muted_until: typeof until === 'string' ? timeOf(until) : undefined,
      p_unmute: until === null,
      p_hidden: hidden,
      p_favourite: favourite,
      p_notify: notify,
    });
    return this.told(caller, roomId, me);
  }

  /** Marks the room unread, beside the positions; the next read clears the mark. @throws 400, 403, 404 */
  async markUnread(caller: Caller, roomId: string, { seq }: MarkUnreadDto): Promise<RoomMeDto> {
    const args = { p_room: roomUuid(roomId), p_user: caller.userId, p_seq: seq };
    const { me } = await this.effects.call(caller, memberUnread, args);
    return this.told(caller, roomId, me);
  }

  private told({ tenantId, userId }: Caller, roomId: string, me: MemberMeJson): RoomMeDto {
    const told = { room_id: roomId, ...me };
    this.frames.tell(tenantId, userId, { type: 'room.me', ...told });
    return told;
  }
}

/** A year that PostgreSQL and ISO 8601 write with four digits. */
function timeOf(text: string): Date {
  const time = new Date(text);
  if (!(time.getTime() >= 0 && time.getUTCFullYear() <= 9999))
    throw invalid('muted_until', 'muted_until must be a time from 1970 to 9999');
  return time;
}
