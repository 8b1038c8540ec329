import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { MAX_OVERLAP_SECONDS } from '../../../common/limits';
import { PageDto } from '../../../platform/http';
import { IsUserId } from '../../../platform/validation';

const SCOPES = ['chat', 'admin'] as const;

export class CreateKeyDto {
  /**
   * Name for people.
   * @example backend
   */
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  name!: string;

  /**
   * What the key may do: `chat` the chat APIs, `admin` its own tenant's keys and settings. Default `["chat"]`.
   * @example ["chat"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes?: ('chat' | 'admin')[];

  /** When the key stops working, ISO 8601 with a zone, in the future. Default never. */
  @IsOptional()
  @IsISO8601()
  expires_at?: string;
}

export class RotateKeyDto {
  /** Seconds that the old key keeps working, 0 to 30 days. Default 3600. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_SECONDS)
  overlap_seconds?: number;
}

export class KeyDto {
  /** @example key_019aa1c2d3e4f5061728394a5b6c7d8e */
  key_id!: string;
  name!: string;
  /** The readable beginning of the key. */
  prefix!: string;
  @ApiProperty({ enum: SCOPES, isArray: true })
  scopes!: string[];
  created_at!: string;
  @ApiProperty({ type: String, nullable: true })
  expires_at!: string | null;
  /** Written every few seconds. */
  @ApiProperty({ type: String, nullable: true })
  last_used_at!: string | null;
  @ApiProperty({ type: String, nullable: true })
  revoked_at!: string | null;
}

export class KeyCreatedDto extends KeyDto {
  /** The key itself. Shown only here. */
  api_key!: string;
}

export class KeyPageDto extends PageDto {
  keys!: KeyDto[];
}

/** Longest life of a user token, in seconds (contract §2). */
const MAX_TOKEN_SECONDS = 3600;
export const DEFAULT_TOKEN_SECONDS = 900;

export class CreateTokenDto {
  /**
   * The user that the token acts as; made on first use.
   * @example alice
   */
  @IsUserId()
  user_id!: string;

  /** Seconds that the token lives, 1 to 3600. Default 900. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TOKEN_SECONDS)
  expires_in?: number;
}

export class TokenCreatedDto {
  /** Send it as `Authorization: Bearer …`. */
  token!: string;
  /** @example alice */
  user_id!: string;
  /** @example 900 */
  expires_in!: number;
  /** @example 2026-01-31T12:15:00.000Z */
  expires_at!: string;
}

export class TicketDto {
  /** A single-use ticket for `/ws?token=…` or `/ws/chat?token=…`. */
  token!: string;
  /** @example 60 */
  expires_in!: number;
}
