import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import { CursorPageDto, CursorQueryDto } from '../../../platform/http';

/** The cursor goes through the recipients. */
export class TraceQueryDto extends CursorQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;
}

export class TraceBatchDto {
  /** Messages in it. */
  @ApiProperty({ type: 'integer' })
  messages!: number;
  /** Milliseconds that its oldest message waited for it. */
  @ApiProperty({ type: 'integer' })
  waited_ms!: number;
  /** Milliseconds until its commit. */
  @ApiProperty({ type: 'integer' })
  took_ms!: number;
}

export class TraceCommitDto {
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** The room's revision; null where it is unknown. */
  @ApiProperty({ type: 'integer', nullable: true })
  rev!: number | null;
  at!: string;
  /** What it was written with; null where it is unknown. */
  @ApiProperty({ type: TraceBatchDto, nullable: true })
  batch!: TraceBatchDto | null;
}

export class TraceWebhookDto {
  /** @example wh_4f1c0a9be2d75a318000000000000001 */
  webhook_id!: string;
  /** @example message.offline */
  type!: string;
  @ApiProperty({ enum: ['pending', 'delivered', 'dead', 'failed'] })
  state!: string;
  @ApiProperty({ type: 'integer' })
  attempts!: number;
  /** HTTP status of the last answer; null when there was none. */
  @ApiProperty({ type: 'integer', nullable: true })
  status!: number | null;
  /** Milliseconds that the last attempt took. */
  @ApiProperty({ type: 'integer', nullable: true })
  latency_ms!: number | null;
  @ApiProperty({ type: 'string', nullable: true })
  error!: string | null;
  created_at!: string;
  @ApiProperty({ type: 'string', nullable: true })
  last_attempt_at!: string | null;
}

export class TraceConnectionDto {
  /** The server that it is on. */
  node_id!: string;
  /** @example conn_019aa1c2d3e4f5061728394a5b6c7d8e */
  connection_id!: string;
  /** Opened before the message was committed: it was sent as it came. Opened later: by the sync, unless its client had it. */
  opened_at!: string;
  /** Whether it was sent the message, or came with it; false: it is on its way there, or does not hear of the room. */
  sent!: boolean;
  /**
   * How often it was sent again since the user's last acknowledgement; null where nothing waits for one: it has come, was given
   * up, or the client acknowledges nothing.
   */
  @ApiProperty({ type: 'integer', nullable: true })
  redelivered!: number | null;
}

export class TraceMarkDto {
  done!: boolean;
  /** When; null where it is not done, or unknown. */
  @ApiProperty({ type: 'string', nullable: true })
  at!: string | null;
}

export class TraceLetterDto {
  /** @example dl_019aa1c2d3e4f5061728394a5b6c7d8e */
  id!: string;
  @ApiProperty({ type: 'integer' })
  attempts!: number;
  last_attempt_at!: string;
  /** @example ack timeout */
  error!: string;
}

export class TraceRecipientDto {
  /** @example bob */
  user_id!: string;
  /** They have sent it; their other connections are told, too. */
  is_sender!: boolean;
  /** The connections on `/ws` that are open now. */
  connections!: TraceConnectionDto[];
  acked!: TraceMarkDto;
  read!: TraceMarkDto;
  /** null: their connections have not given up on it. */
  @ApiProperty({ type: TraceLetterDto, nullable: true })
  dead_letter!: TraceLetterDto | null;
  /** Those of `webhooks` that are known to name them. */
  webhook_ids!: string[];
}

export class TraceDto extends CursorPageDto {
  message_id!: string;
  room_id!: string;
  sender_id!: string;
  /** When its call came in; null where it is unknown. */
  @ApiProperty({ type: 'string', nullable: true })
  accepted_at!: string | null;
  committed!: TraceCommitDto;
  /** What the tenant's webhook was, or is to be, told of it. */
  webhooks!: TraceWebhookDto[];
  /** Members that joined before it and are members now, in the order of joining; `next` goes on with them. */
  recipients!: TraceRecipientDto[];
  /**
   * What the server does not know of this message, in words.
   * @example ["connections that have closed since"]
   */
  unknown!: string[];
}
