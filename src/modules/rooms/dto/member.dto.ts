import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsOptional } from 'class-validator';
import { IsUserId } from '../../../platform/validation';
import { MAX_USERS_PER_CALL } from './room.dto';

const ROLES = ['admin', 'member'] as const;

export class AddMembersDto {
  /**
   * User ids, 1 to 1,000; who is a member already stays as they are.
   * @example ["carol"]
   */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_USERS_PER_CALL)
  @IsUserId({ each: true })
  user_ids!: string[];

  /**
   * Role of those who are added. Default member.
   * @example member
   */
  @IsOptional()
  @IsIn(ROLES)
  role?: 'admin' | 'member';
}

export class SetRoleDto {
  /** @example admin */
  @IsIn(ROLES)
  role!: 'admin' | 'member';
}

export class MemberDto {
  /** @example alice */
  user_id!: string;
  @ApiProperty({ enum: ['admin', 'member', 'agent'] })
  role!: string;
  joined_at!: string;
  /** Whether the user is connected now; an agent is online while a channel can answer. */
  @ApiProperty({ enum: ['online', 'offline'] })
  status!: string;
  @ApiProperty({ type: String, nullable: true })
  last_seen_at!: string | null;
}

export class RoomPresenceDto {
  /**
   * Ids of the members that are connected now, in the order of joining; a page of them.
   * @example ["alice","bob"]
   */
  online!: string[];
  /** How many members are connected. */
  @ApiProperty({ type: 'integer', example: 2 })
  total!: number;
  @ApiProperty({ type: 'integer' })
  offset!: number;
  @ApiProperty({ type: 'integer' })
  limit!: number;
  has_more!: boolean;
}
