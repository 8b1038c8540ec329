import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, CONFIGURATION, erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';
import type { WebhookEvent } from '../../tenants';

/** Where a tenant is told of events; one that was taken away keeps its row without a URL. */
@Entity('webhooks')
@TableData({
  rank: 60,
  exported: {
    tenant: notExported('secrets; its URL and events are settings of the tenant'),
    user: notExported('nothing of a person'),
  },
  kept: 'until the tenant is deleted',
  columns: {
    url: CONFIGURATION,
    events: FIXED_WORD,
    secret: cannotHold('random, sealed'),
    previous_secret: cannotHold('random, sealed'),
    disabled_reason: cannotHold('how the endpoint failed, in words of this server'),
  },
})
export class WebhookEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('text', { nullable: true })
  url!: string | null;

  @Column({ type: 'text', array: true, collation: 'C' })
  events!: WebhookEvent[];

  /** Sealed. */
  @Column('text', { nullable: true })
  secret!: string | null;

  /** Signs beside the other one until `previous_until`. */
  @Column('text', { nullable: true })
  previous_secret!: string | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  previous_until!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  failing_since!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  disabled_at!: Date | null;

  @Column('text', { nullable: true })
  disabled_reason!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  updated_at!: Date;
}

export type DeliveryState = 'pending' | 'delivered' | 'dead' | 'failed';

/** What is to be posted to a webhook, and what came of it. */
@Entity('webhook_deliveries')
@TableData({
  rank: 20,
  exported: {
    tenant: notExported('belongs to the webhook of this tenant'),
    user: notExported('what it tells of is exported where it stands'),
  },
  kept: 'days, and longer while it is a dead letter',
  columns: {
    type: FIXED_WORD,
    user_ids: erasedBy('webhooks'),
    body: erasedBy('webhooks'),
    state: FIXED_WORD,
    answer: erasedBy('webhooks'),
    error: erasedBy('webhooks'),
  },
})
export class WebhookDeliveryEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  delivery_id!: string;

  @Column({ type: 'text', collation: 'C' })
  type!: string;

  @Column('uuid', { nullable: true })
  room_id!: string | null;

  /** The message or notification. */
  @Column('uuid', { nullable: true })
  subject_id!: string | null;

  @Column({ type: 'text', array: true, collation: 'C', nullable: true })
  user_ids!: string[] | null;

  /** As it is posted, every time. */
  @Column('text', { nullable: true })
  body!: string | null;

  @Column('text', { default: 'pending' })
  state!: DeliveryState;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('integer', { nullable: true })
  status!: number | null;

  @Column('integer', { nullable: true })
  latency_ms!: number | null;

  /** The beginning of the answer's body. */
  @Column('text', { nullable: true })
  answer!: string | null;

  @Column('text', { nullable: true })
  error!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  last_attempt_at!: Date | null;
}
