import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { IsLimit, IsNested, IsNullable } from '../../../platform/validation';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../webhook-settings';
import { PageDto } from '../../../platform/http';

const MAX_LIMIT = 1_000_000_000;

/** Limits of a tenant. A number, 0 for none allowed, null for unlimited, `"default"` to go back to the default. */
export class LimitsDto {
  /** Requests per second on the Rooms API (every route that is not under /api/). Default 100. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  requests_per_second?: number | null | 'default';

  /** Requests per minute on the AI chats and Conversations APIs. Default 100. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  ai_requests_per_minute?: number | null | 'default';

  /** Messages per second on one socket. Default 10. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  ws_messages_per_second?: number | null | 'default';

  /** Open connections on /ws. Default 10,000. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  ws_connections?: number | null | 'default';

  /** Open connections of one user on /ws. Default 20. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  ws_connections_per_user?: number | null | 'default';

  /** Open connections on /ws/chat. Default 50. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  chat_connections?: number | null | 'default';

  /** Open streams of server-sent events. Default 1,000. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  sse_streams?: number | null | 'default';

  /** Open streams of server-sent events to one user. Default 20. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  sse_streams_per_user?: number | null | 'default';

  /**
   * Model tokens a day (UTC). An answer takes what it may use before it begins and ends where nothing is left, with
   * `finish_reason` `budget`; then QUOTA_EXCEEDED until the next day. Default unlimited.
   */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  tokens_per_day?: number | null | 'default';

  /** Model tokens a day for one user. Default unlimited. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  tokens_per_user_per_day?: number | null | 'default';

  /** Model tokens a day in one chat. Default unlimited. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  tokens_per_chat_per_day?: number | null | 'default';

  /**
   * What answers of models may cost a day, in the unit of the channels' `prices`, such as cents. Channels without prices answer
   * nobody then: where none has any, CHANNEL_UNAVAILABLE. Default unlimited.
   */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  cost_per_day?: number | null | 'default';

  /** Answers of models that are written at the same time; more wait in order, users by turns. Default 100. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  runs_at_once?: number | null | 'default';

  /** Answers of models to one user that are written at the same time; more wait in order. Default 10. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  runs_at_once_per_user?: number | null | 'default';

  /**
   * Users, agents not counted. A user is made on first use: as a member, by a call or a socket in their name. What would make
   * one beyond it is refused as a whole with 403 AUTHORIZATION_ERROR, `details` `{limit, allowed}`. Default unlimited.
   */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  users?: number | null | 'default';

  /** Rooms that are not deleted, chats with a model included; beyond it creating is refused likewise. Default unlimited. */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  rooms?: number | null | 'default';

  /**
   * Members of one room; creating a room with more, adding and joining beyond it is refused likewise. Those who are in it
   * stay when it is lowered. Default unlimited.
   */
  @IsOptional()
  @IsLimit({ max: MAX_LIMIT })
  members_per_room?: number | null | 'default';
}

/** Where a tenant is told of what happens. */
export class WebhookSettingsDto {
  /**
   * http or https, at most 2,048 characters, without credentials. Setting it enables a disabled webhook again.
   * @example https://example.com/chat-events
   */
  @IsString()
  @MaxLength(2048)
  url!: string;

  /** Which events are posted. Default message.offline and notification.offline. */
  @IsOptional()
  @IsArray()
  @ArrayUnique()
  @IsIn(WEBHOOK_EVENTS, { each: true })
  events?: WebhookEvent[];
}

/** Settings of a tenant. Those that are not sent stay; null goes back to the default. */
export class SettingsDto {
  /** `bare` answers as documented; `envelope` wraps successes as `{success,data,error}`. Default bare. */
  @IsOptional()
  @IsNullable()
  @IsIn(['bare', 'envelope'])
  response_format?: 'bare' | 'envelope' | null;

  /**
   * Browser origins that may use this tenant, as REST calls and sockets name them in `Origin`; null = any. Default null.
   * `https://*.example.com` stands for any one label in place of the star; web views and extensions have origins such as
   * `capacitor://localhost` or `chrome-extension://<id>`; `null` stands for local files. Stored as browsers write them:
   * lower case, punycode, without a default port or a slash at the end.
   */
  @IsOptional()
  @IsNullable()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(300, { each: true })
  allowed_origins?: string[] | null;

  /** What a second message does while an answer is being written. Default queue. */
  @IsOptional()
  @IsNullable()
  @IsIn(['queue', 'reject', 'interrupt'])
  while_answering?: 'queue' | 'reject' | 'interrupt' | null;

  /**
   * Who may ask for more than a preset gives on `/v1/*` (system prompts, other parameters, calls without a chat): `keys`, or
   * user tokens as well (`open`). Default keys.
   */
  @IsOptional()
  @IsNullable()
  @IsIn(['keys', 'open'])
  openai_door?: 'keys' | 'open' | null;

  /**
   * Where to post what happens, signed as Standard Webhooks say; null: nowhere. It is replaced as a whole. The answer that
   * sets a new URL holds its secret (`webhook_secret`), once.
   */
  @IsOptional()
  @IsNullable()
  @IsNested(() => WebhookSettingsDto)
  webhook?: WebhookSettingsDto | null;

  /** Rooms with more members than this push no presence. Default 200. */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(0)
  @Max(10_000)
  presence_room_limit?: number | null;

  /** Who may add, change, pause and remove the agents of a room that does not say so itself. Default admins. */
  @IsOptional()
  @IsNullable()
  @IsIn(['admins', 'members'])
  agent_control?: 'admins' | 'members' | null;

  /**
   * Who may ask who has a message and who has read it (`GET /rooms/{room_id}/messages/{message_id}/receipts`): every member, the
   * room's admins, or nobody. `read.update` frames go on. Default all.
   */
  @IsOptional()
  @IsNullable()
  @IsIn(['all', 'admins', 'off'])
  read_receipts?: 'all' | 'admins' | 'off' | null;

  /**
   * `on` keeps what messages said before they were edited, for `GET /rooms/{room_id}/messages/{message_id}/history`. With `off`
   * nothing is kept, and what was is deleted. Default off.
   */
  @IsOptional()
  @IsNullable()
  @IsIn(['on', 'off'])
  message_history?: 'on' | 'off' | null;

  /**
   * How many days messages are kept, where their room does not say otherwise: 1 to 3,650; null = for ever. What is older is
   * gone for everybody within about an hour, and cannot be brought back. Default null.
   */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(1)
  @Max(3650)
  retention_days?: number | null;
}

/** Whose it is, where the path does not say so. */
export class TenantQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;
}

export class CreateTenantDto {
  /**
   * Name for people.
   * @example Acme
   */
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  name!: string;

  @IsOptional()
  @IsNested(() => SettingsDto)
  settings?: SettingsDto;

  @IsOptional()
  @IsNested(() => LimitsDto)
  limits?: LimitsDto;
}

export class UpdateTenantDto {
  /**
   * Name for people.
   * @example Acme
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  name?: string;

  /** `suspended` refuses every call of the tenant with 403. Master key only. */
  @IsOptional()
  @IsIn(['active', 'suspended'])
  status?: 'active' | 'suspended';

  /**
   * Merged by key; null goes back to the default.
   * @example {"while_answering":"queue","allowed_origins":["https://app.example.com"],"presence_room_limit":200}
   */
  @IsOptional()
  @IsNested(() => SettingsDto)
  settings?: SettingsDto;

  /**
   * Merged by key; null is unlimited, `"default"` goes back to the default. Master key only.
   * @example {"requests_per_second":100,"ws_connections":"default","tokens_per_day":null}
   */
  @IsOptional()
  @IsNested(() => LimitsDto)
  limits?: LimitsDto;
}

const IN_FORCE = (value: object): object => ({
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['value', 'default', 'source'],
    properties: { value, default: value, source: { type: 'string', enum: ['default', 'tenant'] } },
  },
});

/** What is in force, each with its default and whose word it is. */
export class EffectiveDto {
  /** By name; a value of null is unlimited. */
  @ApiProperty(IN_FORCE({ type: 'integer', nullable: true }))
  limits!: object;

  /** By name; those without a secret. */
  @ApiProperty(IN_FORCE({ description: 'As the setting is set.' }))
  settings!: object;
}

export class TenantCreatedDto {
  /** @example tenant_019aa1c2d3e4f5061728394a5b6c7d8e */
  tenant_id!: string;
  /** @example Acme */
  name!: string;
  /** The tenant's first API key, scopes chat and admin. Shown only here. */
  api_key!: string;
  /** Signs what is posted to the webhook; there when a webhook was set. Shown only here. */
  webhook_secret?: string;
  effective!: EffectiveDto;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
}

export class TenantDto {
  /** @example tenant_019aa1c2d3e4f5061728394a5b6c7d8e */
  tenant_id!: string;
  name!: string;
  /** `deleting`: its calls are refused as those of a suspended one, and its data is going. */
  @ApiProperty({ enum: ['active', 'suspended', 'deleting'] })
  status!: string;
  /** The settings that differ from the defaults. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  settings!: object;
  /** The limits in force; null is unlimited. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer', nullable: true } })
  limits!: object;
  effective!: EffectiveDto;
  created_at!: string;
  updated_at!: string;
}

export class TenantUpdatedDto extends TenantDto {
  /** Signs what is posted to the webhook; there when a new URL was set. Shown only here. */
  webhook_secret?: string;
}

export class TenantPageDto extends PageDto {
  tenants!: TenantDto[];
}
