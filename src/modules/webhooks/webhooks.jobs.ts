import { IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, IsUUID } from 'class-validator';
import { JobKind } from '../../platform/jobs';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../tenants';

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
}

/** Something happened: writes what is to be posted of it. */
export const PLAN = new JobKind('webhook.plan', PlanPayload);

export class DeliverPayload {
  @IsUUID()
  delivery_id!: string;
}

/** Posts a delivery. */
export const DELIVER = new JobKind('webhook.deliver', DeliverPayload);
