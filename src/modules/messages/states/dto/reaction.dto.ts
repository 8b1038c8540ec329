import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { MAX_REACTION_KEY } from '../../../../common/limits';
import { CursorPageDto, CursorQueryDto } from '../../../../platform/http';
import { ServerFrame } from '../../../../realtime';

/** How often a message was given one key. */
export class ReactionCountDto {
  /** @example 👍 */
  key!: string;
  /** How many people have given it. */
  @ApiProperty({ type: 'integer', example: 2 })
  count!: number;
  /** The first of them, three at most. */
  users!: string[];
}

export class ListedReactionCountDto extends ReactionCountDto {
  /** true where the caller has given it, else left out; in REST alone. */
  mine?: boolean;
}

/** What is shown of a message's reactions, whoever looks. */
class ReactionsDto {
  room_id!: string;
  message_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** In the order in which the keys came; at most 30. */
  reactions!: ReactionCountDto[];
}

export class ReactionSetDto extends ReactionsDto {
  /** The room's revision of the last change of the message's reactions. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** The key as it is compared: NFC. */
  key!: string;
  @ApiProperty({ type: 'integer' })
  count!: number;
}

/** react. */
export class ReactFrameDto {
  /**
   * The room; you must be a member.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;

  /** @example msg_019aa1c2d3e4f5061728394a5b6c7d8e */
  @IsString()
  message_id!: string;

  /**
   * An emoji, or any word: 1 to 64 characters, none of them a control. It is compared as NFC.
   * @example 👍
   */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_REACTION_KEY)
  key!: string;

  /** true: I give it; false: I take it back. */
  @IsBoolean()
  on!: boolean;
}

/** reaction.accepted: it is committed durably, or was so before. */
export class ReactionAcceptedFrameDto {
  room_id!: string;
  message_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  key!: string;
  on!: boolean;
  /** How many have given the key now. */
  @ApiProperty({ type: 'integer' })
  count!: number;
}

export class ListReactionsQueryDto extends CursorQueryDto {
  /** Those of one key alone. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_REACTION_KEY)
  key?: string;
}

export class ReactionDto {
  key!: string;
  user_id!: string;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
}

export class ReactionPageDto extends CursorPageDto {
  /** By key, each in the order of giving. */
  reactions!: ReactionDto[];
}

class ReplacedReactionDto {
  key!: string;
  /** How many have given it now. */
  @ApiProperty({ type: 'integer' })
  count!: number;
}

@ServerFrame(
  'reaction.updated',
  'What is shown of a message’s reactions has changed: all of it as it is now. Put `reactions` in the place of those that you have where `rev` is higher than their `reactions_rev`. Live it says what happened; of what you missed it comes once per message, without that.',
)
export class ReactionUpdatedFrameDto extends ReactionsDto {
  /** The room's revision of this change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** What was given or taken back; live alone, as the three that follow. */
  key?: string;
  /** By whom. */
  user_id?: string;
  /** true: given; false: taken back. */
  on?: boolean;
  /** How many have given `key` now. */
  @ApiProperty({ type: 'integer', required: false })
  count?: number;
  /** What went with it: in a room of `unique` reactions the user’s other ones. Left out where nothing did. */
  @ApiProperty({ type: [ReplacedReactionDto], required: false })
  replaced?: ReplacedReactionDto[];
}
