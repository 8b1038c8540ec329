import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { WebhookEvent } from '../../tenants';

/** Where a tenant is told of events; one that was taken away keeps its row without a URL. */
@Entity('webhooks')
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
