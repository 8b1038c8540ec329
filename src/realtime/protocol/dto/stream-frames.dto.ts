import { ApiProperty } from '@nestjs/swagger';
import { ServerFrame } from '../server-frame';

class StreamFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /**
   * Of the message that is being written, as its `message` frame will say.
   * @example msg_019000000000700080000000000000e0
   */
  message_id!: string;
}

@ServerFrame('message.stream.start', 'An AI member begins to answer in a room of yours.')
export class StreamStartFrameDto extends StreamFrameDto {
  /** @example agent_default */
  sender_id!: string;
}

@ServerFrame(
  'message.stream.delta',
  'More text of an answer. Deltas that wait for you become one; who connects meanwhile gets those from then on.',
)
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
  /** Why the answer ended, as the model said (`stop`, `length`, …), or `stopped`. */
  @ApiProperty({ type: String, nullable: true, example: 'stop' })
  finish_reason!: string | null;
}

@ServerFrame('message.stream.error', 'The answer failed.')
export class StreamErrorFrameDto extends StreamFrameDto {
  @ApiProperty({ enum: ['MODEL_ERROR', 'CHANNEL_UNAVAILABLE', 'INTERNAL_ERROR'] })
  code!: string;
  /** For people; may change. */
  message!: string;
}
