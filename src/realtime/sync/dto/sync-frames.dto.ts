import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsOptional, IsString, Min } from 'class-validator';
import { IsNested } from '../../../platform/validation';
import { ServerFrame } from '../../protocol';

/** Most rooms of one `sync`. */
const MAX_ROOMS = 1000;

/** A room, and what the client has of it. */
export class SyncRoomDto {
  /**
   * A room of yours, or a channel.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;

  /**
   * Send the messages after this seq; 0: from the first.
   * @example 41
   */
  @IsInt()
  @Min(0)
  after_seq!: number;

  /**
   * The `message_id` of that message, as you have it. Where the log has another one there, the room is reset.
   * @example msg_0190f3a1b2c37d4e8f00112233445567
   */
  @IsOptional()
  @IsString()
  after_id?: string;

  /** Send what else changed after this revision: edits and deletions of messages up to after_seq, members, settings. */
  @IsOptional()
  @IsInt()
  @Min(0)
  after_rev?: number;
}

/** sync: of one room (`room_id`, `after_seq`, `after_id`, `after_rev`), or of several (`rooms`). */
export class SyncFrameDto {
  /**
   * A room of yours, or a channel.
   * @example room_019000000000700080000000000000d0
   */
  @IsOptional()
  @IsString()
  room_id?: string;

  /**
   * With room_id: send the messages after this seq; 0: from the first.
   * @example 41
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  after_seq?: number;

  /**
   * With room_id: the `message_id` of that message, as you have it. Where the log has another one there, or after_seq or
   * after_rev lie beyond it, or after_rev before the changes that it keeps, the room is reset.
   * @example msg_0190f3a1b2c37d4e8f00112233445567
   */
  @IsOptional()
  @IsString()
  after_id?: string;

  /** With room_id: send what else changed after this revision. */
  @IsOptional()
  @IsInt()
  @Min(0)
  after_rev?: number;

  /** Instead of room_id: up to 1,000 rooms, which are synced in this order. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_ROOMS)
  @IsNested(() => SyncRoomDto, { each: true })
  @ApiProperty({ type: [SyncRoomDto], required: false, minItems: 1, maxItems: MAX_ROOMS })
  rooms?: SyncRoomDto[];
}

@ServerFrame(
  'sync.truncated',
  'More was missed in a room than a sync sends: what lies between is there for GET. Comes before the rest of the room.',
)
export class SyncTruncatedFrameDto {
  /** That of the `sync` it belongs to, if it had one. */
  request_id?: string;
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** The oldest message that the room keeps: before it there is nothing to fetch. */
  @ApiProperty({ type: 'integer', example: 1 })
  first_seq!: number;
  /** Left out are the messages after this seq … */
  @ApiProperty({ type: 'integer', example: 41 })
  after_seq!: number;
  /** … and before this one: `GET /rooms/{id}/messages?after_seq=…&before_seq=…`. */
  @ApiProperty({ type: 'integer', example: 1042 })
  before_seq!: number;
  /** Where other changes are left out too: those after this revision … */
  @ApiProperty({ type: 'integer', required: false })
  after_rev?: number;
  /** … and before this one: `GET /rooms/{id}/changes?after_rev=…`. */
  @ApiProperty({ type: 'integer', required: false })
  before_rev?: number;
}

@ServerFrame(
  'sync.reset',
  'What you said that you have of a room is not what its log has, which was restored from a backup, or is older than the changes that it keeps: drop all that you keep of the room. What follows is the newest of it, as after a `sync` from the beginning; fetch its members.',
)
export class SyncResetFrameDto {
  /** That of the `sync` it belongs to, if it had one. */
  request_id?: string;
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** The oldest message that the room keeps. */
  @ApiProperty({ type: 'integer', example: 1 })
  first_seq!: number;
  /** The newest message. */
  @ApiProperty({ type: 'integer', example: 4 })
  last_seq!: number;
  /** The newest change. */
  @ApiProperty({ type: 'integer', example: 4 })
  last_rev!: number;
  /** That of `hello`. */
  @ApiProperty({ type: 'integer', example: 1795889161 })
  epoch!: number;
}

@ServerFrame(
  'sync.complete',
  'You have everything of a room up to here; what follows is live, where the connection is subscribed to the room.',
)
export class SyncCompleteFrameDto {
  /** That of the `sync` it belongs to, if it had one. */
  request_id?: string;
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** The oldest message that the room keeps: a position is never less than this minus 1. */
  @ApiProperty({ type: 'integer', example: 1 })
  first_seq!: number;
  /** The newest message. */
  @ApiProperty({ type: 'integer', example: 1541 })
  last_seq!: number;
  /** Its id; null where there is none. Keep it with last_seq, as `after_id` of the next `sync`. */
  @ApiProperty({ type: String, nullable: true, example: 'msg_0190f3a1b2c37d4e8f00112233445567' })
  last_id!: string | null;
  /** The newest change. Keep it, with last_seq, for `sync` after the next connect. */
  @ApiProperty({ type: 'integer', example: 1560 })
  last_rev!: number;
}
