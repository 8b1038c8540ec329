/** The shapes of lines, as their fields are checked one by one; what they have to do with each other is LineChecker's. */
import { applyDecorators } from '@nestjs/common';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import {
  MAX_CLIENT_MESSAGE_ID,
  MAX_EXTERNAL_CHAT_ID,
  MAX_META_BYTES,
  MAX_METADATA_BYTES,
  MAX_ROOM_NAME,
} from '../../../../common/limits';
import { USER_ID_PATTERN } from '../../../../common/text';
import { IsJsonObject, IsNullable } from '../../../../platform/validation';
import type { TenantFieldsOf } from '../../format';

const MAX_ID = 200;
const MAX_INT = 2_147_483_647;
/** Characters: an answer of a model may be that long. */
const MAX_ANSWER = 16_777_216;
const MAX_OBJECT_BYTES = 1024 * 1024;
const ERROR_CHARACTERS = 10_000;

/** The year 0 is none for PostgreSQL. */
const TIME = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const Text = (most: number): PropertyDecorator => applyDecorators(IsString(), MaxLength(most));
const Id = (): PropertyDecorator => applyDecorators(IsString(), MaxLength(MAX_ID));
const UserId = (): PropertyDecorator => applyDecorators(IsString(), Matches(new RegExp(USER_ID_PATTERN)));
const Whole = (least: number, most: number = Number.MAX_SAFE_INTEGER): PropertyDecorator =>
  applyDecorators(IsInt(), Min(least), Max(most));
const Time = (): PropertyDecorator =>
  applyDecorators(IsString(), Matches(TIME, { message: 'must be a time as 2026-01-31T12:00:00.000Z' }));
/** null is what there is none of. */
const OrNull = (): PropertyDecorator => applyDecorators(IsOptional(), IsNullable());
const JsonFields = (maxBytes = MAX_OBJECT_BYTES): PropertyDecorator => IsJsonObject({ maxBytes });

class TenantShape {
  @Text(1000) name!: unknown;
  @JsonFields() settings!: unknown;
  @JsonFields() limits!: unknown;
  @OrNull() @JsonFields() webhook!: unknown;
}

class ChannelShape {
  @Id() channel_id!: unknown;
  @Text(1000) name!: unknown;
  @Text(100) provider!: unknown;
  @Text(10_000) base_url!: unknown;
  @Text(1000) model!: unknown;
  @Whole(-MAX_INT, MAX_INT) priority!: unknown;
  @Whole(-MAX_INT, MAX_INT) weight!: unknown;
  @IsBoolean() enabled!: unknown;
  @OrNull() @Whole(0, MAX_INT) max_tokens!: unknown;
  @OrNull() @IsNumber() temperature!: unknown;
  @Whole(0, MAX_INT) timeout_ms!: unknown;
  @JsonFields() options!: unknown;
  @Time() created_at!: unknown;
  @Time() updated_at!: unknown;
}

class PresetShape {
  @Text(1000) name!: unknown;
  @Text(1_000_000) system_prompt!: unknown;
  @OrNull() @Text(1000) model!: unknown;
  @OrNull() @IsNumber() temperature!: unknown;
  @OrNull() @Whole(0, MAX_INT) max_tokens!: unknown;
  @Whole(0, MAX_INT) context_messages!: unknown;
  @JsonFields() options!: unknown;
  @Time() created_at!: unknown;
  @Time() updated_at!: unknown;
}

class UserShape {
  @UserId() user_id!: unknown;
  @JsonFields() profile!: unknown;
  @Time() created_at!: unknown;
  @OrNull() @Time() last_seen_at!: unknown;
  @OrNull() @Time() first_socket_at!: unknown;
  @IsBoolean() legal_hold!: unknown;
}

class RoomShape {
  @Id() room_id!: unknown;
  @IsIn(['dm', 'group', 'channel', 'ai']) type!: unknown;
  @OrNull() @Text(1000) unique_key!: unknown;
  @OrNull() @Text(MAX_ROOM_NAME) name!: unknown;
  @OrNull() @JsonFields(MAX_METADATA_BYTES) metadata!: unknown;
  @IsIn(['members', 'admins']) posting!: unknown;
  @Whole(1) first_seq!: unknown;
  @Whole(0) last_seq!: unknown;
  @Whole(0) first_rev!: unknown;
  @Whole(0) last_rev!: unknown;
  @Whole(0) members_added!: unknown;
  @OrNull() @Whole(1, 3650) retention_days!: unknown;
  @IsBoolean() legal_hold!: unknown;
  @OrNull() @Time() last_message_at!: unknown;
  @Time() created_at!: unknown;
  @Time() updated_at!: unknown;
}

class MemberShape {
  @Id() room_id!: unknown;
  @UserId() user_id!: unknown;
  @IsIn(['admin', 'member', 'agent']) role!: unknown;
  @Whole(0) member_no!: unknown;
  @Whole(0) joined_seq!: unknown;
  @Time() joined_at!: unknown;
}

class EventShape {
  @Id() room_id!: unknown;
  @Whole(1) rev!: unknown;
  @IsString() @Matches(/^(member\.(joined|left|updated)|room\.(updated|trimmed))$/) type!: unknown;
  @JsonFields() payload!: unknown;
  @Time() created_at!: unknown;
}

class MessageShape {
  @Id() room_id!: unknown;
  @Whole(1) seq!: unknown;
  @Whole(1) rev!: unknown;
  @Id() message_id!: unknown;
  @UserId() sender_id!: unknown;
  @IsIn(['user', 'assistant', 'system']) role!: unknown;
  @Text(MAX_ANSWER) content!: unknown;
  @OrNull() @JsonFields(MAX_META_BYTES) meta!: unknown;
  @OrNull() @Text(MAX_CLIENT_MESSAGE_ID) client_message_id!: unknown;
  @OrNull() @IsIn(['completed', 'cancelled', 'interrupted', 'failed', 'superseded']) status!: unknown;
  @OrNull() @Whole(1) reply_to_seq!: unknown;
  @Time() created_at!: unknown;
  @OrNull() @Time() edited_at!: unknown;
  @OrNull() @Time() deleted_at!: unknown;
}

class ChatShape {
  @Id() room_id!: unknown;
  @UserId() user_id!: unknown;
  @OrNull() @Text(1000) group_id!: unknown;
  @Text(1000) preset!: unknown;
  @IsBoolean() auto_title!: unknown;
  @IsBoolean() is_active!: unknown;
  @Whole(0) cleared_seq!: unknown;
  @Time() created_at!: unknown;
  @Time() active_at!: unknown;
  @OrNull() @Text(MAX_EXTERNAL_CHAT_ID) external_id!: unknown;
}

class RunShape {
  @Id() room_id!: unknown;
  @IsUUID() run_id!: unknown;
  @UserId() user_id!: unknown;
  @Whole(1) reply_to_seq!: unknown;
  @IsIn(['completed', 'cancelled', 'interrupted', 'failed']) state!: unknown;
  @OrNull() @Whole(1) answer_seq!: unknown;
  @OrNull() @Whole(0, MAX_INT) token_count!: unknown;
  @OrNull() @Text(1000) channel!: unknown;
  @OrNull() @Text(1000) model!: unknown;
  @OrNull() @Text(1000) finish_reason!: unknown;
  @OrNull() @Whole(0) prompt_tokens!: unknown;
  @OrNull() @Whole(0) completion_tokens!: unknown;
  @OrNull() @Whole(0) total_tokens!: unknown;
  @OrNull() @IsBoolean() estimated!: unknown;
  @OrNull() @Text(1000) error_code!: unknown;
  @OrNull() @Text(ERROR_CHARACTERS) error_message!: unknown;
  @OrNull() @JsonFields() options!: unknown;
  @Time() created_at!: unknown;
  @OrNull() @Time() started_at!: unknown;
  @Time() ended_at!: unknown;
  @OrNull() @Text(MAX_ANSWER) reasoning!: unknown;
}

class SubscriptionShape {
  @Id() subscription_id!: unknown;
  @UserId() user_id!: unknown;
  @Text(1000) topic!: unknown;
  @Time() created_at!: unknown;
}

/** A class of checks for each kind of line, with the fields of the line and no others. */
export const LINE_SHAPES: {
  readonly [K in keyof TenantFieldsOf]: new () => Readonly<Record<keyof TenantFieldsOf[K], unknown>>;
} = {
  tenant: TenantShape,
  channel: ChannelShape,
  preset: PresetShape,
  user: UserShape,
  room: RoomShape,
  member: MemberShape,
  event: EventShape,
  message: MessageShape,
  chat: ChatShape,
  run: RunShape,
  subscription: SubscriptionShape,
};
