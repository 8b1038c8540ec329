import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { ServerFrame } from '../server-frame';

/** typing.start and typing.stop. */
export class TypingFrameDto {
  /**
   * The room.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;
}

@ServerFrame('typing', 'Another member types, or stopped; `start` without an end stops by itself after 10 seconds.')
export class TypingUpdateFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** @example bob */
  user_id!: string;
  @ApiProperty({ enum: ['start', 'stop'] })
  action!: 'start' | 'stop';
}

@ServerFrame('presence.update', 'Somebody who shares a room of at most 200 members with you came online or left.')
export class PresenceUpdateFrameDto {
  /** @example bob */
  user_id!: string;
  @ApiProperty({ enum: ['online', 'offline'] })
  status!: 'online' | 'offline';
}

@ServerFrame('presence.snapshot', 'After `hello`: which of those people are online.')
export class PresenceSnapshotFrameDto {
  /** @example ["bob","carol"] */
  user_ids!: string[];
}
