import { ApiProperty } from '@nestjs/swagger';
import { ServerFrame } from '../../../../realtime';
import { MessageDto } from '../../dto/message.dto';

export class PinDto {
  room_id!: string;
  message_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** The room's revision of the change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** @example 2026-01-31T12:00:00.000Z */
  pinned_at!: string;
}

/** A pinned message. */
export class ListedPinDto {
  message!: MessageDto;
  pinned_by!: string;
  /** @example 2026-01-31T12:00:00.000Z */
  pinned_at!: string;
}

export class PinsDto {
  /** What was pinned last comes first; at most 50. */
  pins!: ListedPinDto[];
}

@ServerFrame('message.pinned', 'A message was pinned in its room.')
export class MessagePinnedFrameDto extends PinDto {
  pinned_by!: string;
}

@ServerFrame('message.unpinned', 'A message is pinned no more. One that is deleted is so without this frame.')
export class MessageUnpinnedFrameDto {
  room_id!: string;
  message_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** The room's revision of the change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** Who did it; live alone. */
  user_id?: string;
}
