import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { ERROR_CATALOGUE } from '../../../common/errors';
import { ServerFrame } from '../operations';

/** subscribe and unsubscribe. */
export class SubscriptionFrameDto {
  /**
   * A room of yours, or a channel. Members are subscribed by themselves.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;
}

export class SubscribedFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** Sequence number of the newest message: what comes from here on is live. */
  @ApiProperty({ type: 'integer', example: 42 })
  last_seq!: number;
  /** The room's newest revision. */
  @ApiProperty({ type: 'integer', example: 57 })
  last_rev!: number;
}

export class UnsubscribedFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
}

class StreamFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /**
   * Of the message that is being written, as its `message` frame will say.
   * @example msg_019000000000700080000000000000e0
   */
  message_id!: string;
}

@ServerFrame(
  'message.stream.start',
  'An AI member begins to answer in a room of yours; again to a connection that comes while it answers, with the text so far as its first delta.',
)
export class StreamStartFrameDto extends StreamFrameDto {
  /** @example agent_default */
  sender_id!: string;
}

@ServerFrame('message.stream.delta', 'More text of an answer. Deltas that wait for you become one.')
export class StreamDeltaFrameDto extends StreamFrameDto {
  /** To be appended to what came before. */
  text!: string;
  /** Of the last token in `text`, from 0. */
  @ApiProperty({ type: 'integer', example: 7 })
  index!: number;
}

@ServerFrame('message.stream.end', 'The answer is complete or was ended; its `message` follows and is the truth.')
export class StreamEndFrameDto extends StreamFrameDto {
  @ApiProperty({ type: 'integer', example: 2 })
  seq!: number;
  @ApiProperty({ enum: ['completed', 'cancelled', 'interrupted', 'failed', 'superseded'] })
  status!: string;
  /** Why the answer ended, as the model said (`stop`, `length`, …), or `budget`, `stopped`. */
  @ApiProperty({ type: String, nullable: true, example: 'stop' })
  finish_reason!: string | null;
}

@ServerFrame('message.stream.error', 'The answer failed.')
export class StreamErrorFrameDto extends StreamFrameDto {
  /** `CANCELLED`: it was ended, and has no message: the agent is no member any more, or was stopped before its first word. */
  @ApiProperty({
    enum: [
      'QUOTA_EXCEEDED',
      'RATE_LIMIT_EXCEEDED',
      'MODEL_ERROR',
      'CHANNEL_UNAVAILABLE',
      'INTERNAL_ERROR',
      'CANCELLED',
    ],
  })
  code!: string;
  /** For people; may change. */
  message!: string;
}

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

export class PingFrameDto {}

export class PongFrameDto {}

/** What a connection may do. */
export class ConnectionLimitsDto {
  /** `send_message` frames per second; null is unlimited. */
  @ApiProperty({ type: 'integer', nullable: true, example: 10 })
  ws_messages_per_second!: number | null;
  /** All other frames together, per second. */
  @ApiProperty({ type: 'integer', example: 100 })
  other_frames_per_second!: number;
  /** Largest frame, in bytes. */
  @ApiProperty({ type: 'integer', example: 262144 })
  frame_bytes!: number;
}

@ServerFrame('hello', 'The first frame of every connection.')
export class HelloFrameDto {
  /** @example conn_019aa1c2d3e4f5061728394a5b6c7d8e */
  connection_id!: string;
  /** @example alice */
  user_id!: string;
  /** @example tenant_019000000000700080000000000000a0 */
  tenant_id!: string;
  /** Changes when a backup was restored, or a failover of the database has lost something: drop the positions that you keep. */
  @ApiProperty({ type: 'integer', example: 1 })
  epoch!: number;
  /** Milliseconds between the server's pings; answer them, or the server closes with 4000. */
  @ApiProperty({ type: 'integer', example: 30000 })
  heartbeat_ms!: number;
  limits!: ConnectionLimitsDto;
}

@ServerFrame('error', 'A frame was refused, or the connection is about to be closed.')
export class ErrorFrameDto {
  /** For programs; docs/errors.md says what each means. */
  @ApiProperty({ enum: Object.keys(ERROR_CATALOGUE), example: 'VALIDATION_ERROR' })
  code!: string;
  /** For people; may change. */
  message!: string;
  /** That of the refused frame. With INTERNAL_ERROR it is always there and leads to the server's log. */
  request_id?: string;
  /** Whether the same frame may succeed later without a change. */
  retryable!: boolean;
  /** Milliseconds until a retry makes sense. */
  @ApiProperty({ type: 'integer', required: false })
  retry_after_ms?: number;
  /** The first bad field. */
  field?: string;
  /** The room of a `sync` of several that is refused, or ended before its end. */
  room_id?: string;
}

@ServerFrame('server.shutdown', 'The server stops; the socket is closed with 1012 right after it.')
export class ServerShutdownFrameDto {
  /** Milliseconds to wait before connecting again; spread over the clients. */
  @ApiProperty({ type: 'integer', example: 1500 })
  reconnect_after_ms!: number;
}
