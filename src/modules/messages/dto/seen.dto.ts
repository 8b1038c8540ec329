import { ApiProperty } from '@nestjs/swagger';
import { CursorPageDto } from '../../../platform/http';

/** How far a member has got, seen from one message. */
export class ReceiptDto {
  /** @example bob */
  user_id!: string;
  /** The member has acknowledged it: a client of theirs has it. */
  delivered!: boolean;
  /** The member has read it. */
  read!: boolean;
}

export class ReceiptPageDto extends CursorPageDto {
  /** In the order of joining. */
  receipts!: ReceiptDto[];
}

/** What a message said before it was edited. */
export class MessageVersionDto {
  /** The room's revision of this content. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  content!: string;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  meta!: Record<string, unknown> | null;
  /**
   * When it was said.
   * @example 2026-01-31T12:00:00.000Z
   */
  created_at!: string;
}

export class MessageVersionPageDto extends CursorPageDto {
  /** The oldest first; what the message says now is not among them. */
  versions!: MessageVersionDto[];
}
