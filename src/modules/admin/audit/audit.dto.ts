import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { AUDIT_ACTIONS, type AuditAction } from '../../../platform/audit';
import { CursorPageDto, CursorQueryDto } from '../../../platform/http';

const ACTIONS = Object.keys(AUDIT_ACTIONS) as AuditAction[];
const ACTOR_KINDS = ['master', 'key', 'user'] as const;
const FAULTS = ['missing', 'altered', 'inserted', 'head', 'unknown_key'] as const;
/** The longest user id, and what stands before it. */
const MOST = 200;

/** Which rows of the log are wanted. */
export class AuditQueryDto extends CursorQueryDto {
  /** The tenant. A key means its own; the master key has to say which, or `installation` for what is about none. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /**
   * Who did it: `master`, `key:` and the id of a key, or `user:` and the id of a user.
   * @example user:alice
   */
  @IsOptional()
  @IsString()
  @MaxLength(MOST)
  actor?: string;

  @IsOptional()
  @IsIn(ACTIONS)
  action?: AuditAction;

  /**
   * What it was done to: the kind and the id, as items show them; `user:` and the id of a user finds what was done to them.
   * @example room:room_019000000000700080000000000000d0
   */
  @IsOptional()
  @IsString()
  @MaxLength(MOST)
  target?: string;

  /** Not before this time, ISO 8601 with a zone. */
  @IsOptional()
  @IsISO8601()
  from?: string;

  /** Not after this time, ISO 8601 with a zone. */
  @IsOptional()
  @IsISO8601()
  to?: string;
}

/** Who did it. */
export class AuditActorDto {
  @ApiProperty({ enum: ACTOR_KINDS })
  kind!: (typeof ACTOR_KINDS)[number];

  /** The API key of the call; of a user's call the key that it was made or its token was minted with. */
  @ApiProperty({ type: String, nullable: true })
  key_id!: string | null;
  @ApiProperty({ type: String, nullable: true })
  key_name!: string | null;
  @ApiProperty({ type: String, nullable: true })
  key_prefix!: string | null;

  /** Of a user; null too where the user was erased. */
  @ApiProperty({ type: String, nullable: true })
  user_id!: string | null;
}

/** What it was done to. */
export class AuditTargetDto {
  /**
   * @example room
   */
  kind!: string;
  /** null where it is a user. */
  @ApiProperty({ type: String, nullable: true })
  id!: string | null;
  /** The user that it is, or is about: the member of a room, the sender of a message. null too where the user was erased. */
  @ApiProperty({ type: String, nullable: true })
  user_id!: string | null;
}

export class AuditItemDto {
  /** Its place in the chain of the tenant, from 1, without a gap. */
  @ApiProperty({ type: 'integer' })
  n!: number;
  at!: string;
  actor!: AuditActorDto;
  /**
   * @example member.role
   */
  action!: string;
  @ApiProperty({ type: AuditTargetDto, nullable: true })
  target!: AuditTargetDto | null;
  /** Fields that are other ones now, as they were; null where there was nothing. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  before!: Record<string, unknown> | null;
  /**
   * The same as they are; null where there is nothing any more. A secret is `set`, `changed` or `cleared`; of a prompt or
   * options only `{"changed": true}` is written.
   */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  after!: Record<string, unknown> | null;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  details!: Record<string, unknown> | null;
  request_id!: string;
  /** Where the call came from; null where it was erased. */
  @ApiProperty({ type: String, nullable: true })
  address!: string | null;
}

export class AuditPageDto extends CursorPageDto {
  /** The newest first. */
  items!: AuditItemDto[];
}

/** Which chain is to be proven. */
export class VerifyAuditQueryDto {
  /** The tenant. A key means its own; the master key has to say which, or `installation` for what is about none. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /** The `next` of the answer before: rows up to it are believed to be proven. Default 0, from the first row on. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  after?: number;
}

export class AuditFaultDto {
  /** The row that is wrong, or missing. */
  @ApiProperty({ type: 'integer' })
  n!: number;
  /**
   * `missing`, `altered`, `inserted`; `head`: the chain's own word on where it ends does not fit its rows; `unknown_key`: the
   * row was written with an encryption key that ENCRYPTION_KEYS_OLD does not hold.
   */
  @ApiProperty({ enum: FAULTS })
  why!: (typeof FAULTS)[number];
}

export class AuditHeadDto {
  @ApiProperty({ type: 'integer' })
  n!: number;
  /** Of the last row, as hex. Who notes it elsewhere can tell later that nothing before it was taken back. */
  mac!: string;
}

export class VerifiedAuditDto {
  /** Whether all that was looked at is as it was written. */
  holds!: boolean;
  /** The last row that is proven. */
  @ApiProperty({ type: 'integer' })
  checked_to!: number;
  /** Rows that this call has proven. */
  @ApiProperty({ type: 'integer' })
  rows!: number;
  /** Where the chain ends; null: it has no row. */
  @ApiProperty({ type: AuditHeadDto, nullable: true })
  head!: AuditHeadDto | null;
  /** The first row that is wrong. */
  @ApiProperty({ type: AuditFaultDto, nullable: true })
  fault!: AuditFaultDto | null;
  /** The `after` of the call that goes on; null: the chain's end is reached, or a fault. */
  @ApiProperty({ type: 'integer', nullable: true })
  next!: number | null;
}
