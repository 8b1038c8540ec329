import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsISO8601, IsOptional, Min } from 'class-validator';
import { IsNullable } from '../../../platform/validation';
import { ServerFrame } from '../../../realtime';

const NOTIFY = ['all', 'mentions', 'none'] as const;

export class UpdateMeDto {
  /**
   * Muted until then, ISO 8601; null: not any more. One that is past mutes nothing.
   * @example 2099-01-31T12:00:00.000Z
   */
  @IsOptional()
  @IsNullable()
  @IsISO8601()
  muted_until?: string | null;

  /** For clients, which leave hidden rooms out of what they show; nothing else changes. */
  @IsOptional()
  @IsBoolean()
  hidden?: boolean;

  /** For clients, which show favourites first. */
  @IsOptional()
  @IsBoolean()
  favourite?: boolean;

  /** Which messages the webhook `message.offline` is told of for me: all, those whose `meta.mentions` has my id, or none. */
  @IsOptional()
  @IsIn(NOTIFY)
  notify?: 'all' | 'mentions' | 'none';
}

export class MarkUnreadDto {
  /**
   * The message from which on the room is unread; at most the room's last_seq.
   * @example 1
   */
  @IsInt()
  @Min(1)
  seq!: number;
}

/** What a member has set for themselves in a room; nobody else is shown it. */
export class MeDto {
  /** Of the past: not muted. */
  @ApiProperty({ type: String, nullable: true })
  muted_until!: string | null;
  hidden!: boolean;
  favourite!: boolean;
  @ApiProperty({ enum: NOTIFY })
  notify!: 'all' | 'mentions' | 'none';
  /** Marked unread from this message on, until the next read: `unread_count` counts from it. null: no mark. */
  @ApiProperty({ type: 'integer', nullable: true })
  unread_seq!: number | null;
}

@ServerFrame(
  'room.me',
  'What you have set for yourself in a room, on whichever connection: all of it as it is now. To you alone.',
)
export class RoomMeDto extends MeDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
}
