import { IsArray, IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsString, IsUUID } from 'class-validator';
import { JobKind } from '../../platform/jobs';
import { IsNested } from '../../platform/validation';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../tenants';

/** A budget of a day that is nearly spent. */
class WarnedBudget {
  /** Its name among the tenant's limits. */
  @IsString()
  limit!: string;

  /** YYYY-MM-DD, UTC. */
  @IsString()
  day!: string;

  /** Of whom it is, or of which chat; neither: of the tenant. */
  @IsOptional()
  @IsString()
  user_id?: string;

  @IsOptional()
  @IsUUID()
  room_id?: string;

  @IsNumber()
  used!: number;

  @IsNumber()
  most!: number;
}

/** A state of a message that has changed, as append_states writes it. */
export class ChangedStatePayload {
  /** UUID of the message. */
  @IsUUID()
  message_id!: string;

  @IsInt()
  seq!: number;

  @IsInt()
  rev!: number;

  /** Who did it. */
  @IsString()
  user_id!: string;

  @IsBoolean()
  on!: boolean;

  /** Of a reaction. */
  @IsOptional()
  @IsString()
  key?: string;

  /** How many have given it, after the change. */
  @IsOptional()
  @IsInt()
  count?: number;
}

/** What happened, as the append function, the triggers and the hooks write it. */
export class PlanPayload {
  @IsIn(WEBHOOK_EVENTS)
  event!: WebhookEvent;

  @IsOptional()
  @IsUUID()
  room_id?: string;

  /** Of messages. */
  @IsOptional()
  @IsArray()
  @IsInt({ each: true })
  seqs?: readonly number[];

  /** Of members that joined or left. */
  @IsOptional()
  @IsArray()
  @IsInt({ each: true })
  revs?: readonly number[];

  /** Of states of messages. */
  @IsOptional()
  @IsArray()
  @IsNested(() => ChangedStatePayload, { each: true })
  changes?: readonly ChangedStatePayload[];

  @IsOptional()
  @IsUUID()
  notification_id?: string;

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  user_ids?: readonly string[];

  /** Whether these users are offline was not known. */
  @IsOptional()
  @IsBoolean()
  is_unsure?: boolean;

  @IsOptional()
  @IsNested(() => WarnedBudget)
  budget?: WarnedBudget;
}

/** Something happened: writes what is to be posted of it. */
export const PLAN = new JobKind('webhook.plan', PlanPayload);

export class DeliverPayload {
  @IsUUID()
  delivery_id!: string;
}

/** Posts a delivery. */
export const DELIVER = new JobKind('webhook.deliver', DeliverPayload);
