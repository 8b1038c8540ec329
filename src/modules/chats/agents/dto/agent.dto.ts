import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { IsNotBlank, IsNullable } from '../../../../platform/validation';
import { type Respond, RESPONDS } from '../../entities/room-agent.entity';

const MAX_NAME = 100;

export class AddAgentDto {
  /**
   * The preset that it answers by; one agent per preset and room.
   * @example default
   */
  @IsString()
  @Matches(/^[a-z0-9_-]{1,64}$/)
  preset!: string;

  /**
   * What it answers: messages whose `meta.mentions` names it (`mention`), every message (`always`), or none.
   * @example mention
   */
  @IsIn(RESPONDS)
  respond!: Respond;

  /**
   * What it is called, 1 to 100 characters; its model is told. Default its id.
   * @example "Support"
   */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NAME)
  @IsNotBlank()
  name?: string;
}

export class ChangeAgentDto {
  /**
   * What it answers from now on.
   * @example always
   */
  @IsOptional()
  @IsIn(RESPONDS)
  respond?: Respond;

  /** What it is called, 1 to 100 characters; null: by its id. */
  @IsOptional()
  @IsNullable()
  @IsString()
  @MaxLength(MAX_NAME)
  @IsNotBlank()
  name?: string | null;
}

export class PauseAgentDto {
  /**
   * When it speaks again by itself, ISO 8601, in the future; null or left out: when it is resumed.
   * @example 2099-01-31T12:00:00.000Z
   */
  @IsOptional()
  @IsNullable()
  @IsISO8601()
  until?: string | null;
}

export class AgentSettingsDto {
  /**
   * An agent answers a message behind which fewer answers of agents lie, back to a person: 0 nothing, 1 what people write, 2
   * answers to that too. 0 to 3. Default 1.
   * @example 2
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(3)
  max_hops?: number;

  /** Who adds, changes, pauses and removes agents: the room's admins or all its members. Default as the tenant says. */
  @IsOptional()
  @IsIn(['admins', 'members'])
  control?: 'admins' | 'members';
}

export class AgentDto {
  /**
   * Its user id.
   * @example agent_default
   */
  agent_id!: string;
  /** @example default */
  preset!: string;
  @ApiProperty({ type: String, nullable: true, example: 'Support' })
  name!: string | null;
  @ApiProperty({ enum: RESPONDS })
  respond!: Respond;
  /** It is silent now. */
  paused!: boolean;
  /** Until when; null: it is not, or until it is resumed. */
  @ApiProperty({ type: String, nullable: true })
  paused_until!: string | null;
  created_at!: string;
}

export class RoomAgentSettingsDto {
  @ApiProperty({ type: 'integer', example: 1 })
  max_hops!: number;
  @ApiProperty({ enum: ['admins', 'members'] })
  control!: 'admins' | 'members';
}

export class RoomAgentsDto {
  /** In the order of their ids; at most 20. */
  agents!: AgentDto[];
  settings!: RoomAgentSettingsDto;
}

export class StoppedAnswersDto {
  /**
   * Answers that end with it, as their messages say; one without a word has none.
   * @example ["msg_019aa1c2d3e4f5061728394a5b6c7d8e"]
   */
  message_ids!: string[];
}
