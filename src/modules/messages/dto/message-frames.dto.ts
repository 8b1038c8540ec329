import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { ServerFrame } from '../../../realtime';
import { MessageAcceptedDto, MessageDto, SendMessageDto } from './message.dto';

/** send_message. */
export class SendMessageFrameDto extends SendMessageDto {
  /**
   * The room; you must be a member.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;
}

/** message.accepted: the message is committed durably. */
export class MessageAcceptedFrameDto extends MessageAcceptedDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** true when this is the answer of an earlier send with the same client_message_id; else left out. */
  replayed?: boolean;
}

@ServerFrame('message', 'A new message in one of your rooms; to the sender too, on all connections.')
export class MessageFrameDto extends MessageDto {}

@ServerFrame('message.updated', 'A message was edited: the whole message as it is now.')
export class MessageUpdatedFrameDto extends MessageDto {}

@ServerFrame('message.deleted', 'A message was deleted; its seq stays.')
export class MessageDeletedFrameDto {
  room_id!: string;
  message_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** The room's revision of the deletion. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** @example 2026-01-31T12:00:00.000Z */
  deleted_at!: string;
}
