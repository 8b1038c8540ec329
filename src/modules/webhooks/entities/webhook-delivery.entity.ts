import { Column, Entity, PrimaryColumn } from 'typeorm';

export type DeliveryState = 'pending' | 'delivered' | 'dead' | 'failed';

/** What is to be posted to a webhook, and what came of it. */
@Entity('webhook_deliveries')
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
