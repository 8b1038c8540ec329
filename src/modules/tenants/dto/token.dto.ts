import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { IsUserId } from '../../../platform/validation';

/** Longest life of a user token, in seconds (contract §2). */
export const MAX_TOKEN_SECONDS = 3600;
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
