import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { IsNullable } from '../../platform/validation';

export class RetentionQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;
}

/** What is not sent stays. */
export class RetainRoomDto {
  /**
   * How many days messages of this room are kept, 1 to 3,650; null: as the tenant's setting `retention_days` says.
   * @example 30
   */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(1)
  @Max(3650)
  retention_days?: number | null;

  /**
   * While it is true nothing of the room goes: messages do not expire, and of those that are edited or deleted the server
   * keeps what they were.
   */
  @IsOptional()
  @IsBoolean()
  legal_hold?: boolean;
}

export class RoomRetentionDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** null: as the tenant says. */
  @ApiProperty({ type: 'integer', nullable: true, example: 30 })
  retention_days!: number | null;
  legal_hold!: boolean;
}

export class HoldUserDto {
  /**
   * While it is true nothing that the user has written goes: in each room messages expire up to their oldest one at most.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  legal_hold?: boolean;
}

export class UserHoldDto {
  /** @example alice */
  user_id!: string;
  legal_hold!: boolean;
}
