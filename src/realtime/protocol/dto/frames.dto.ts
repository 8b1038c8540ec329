import { ApiProperty } from '@nestjs/swagger';
import { ERROR_CATALOGUE } from '../../../common/errors';
import { ServerFrame } from '../server-frame';

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
  /** Changes when the server was restored from a backup: drop the positions that you keep. */
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
