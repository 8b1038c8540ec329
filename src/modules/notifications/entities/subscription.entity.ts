import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A user's wish to get what is said about a topic. */
@Entity('subscriptions')
export class SubscriptionEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  subscription_id!: string;

  @Column({ type: 'text', collation: 'C' })
  user_id!: string;

  @Column({ type: 'text', collation: 'C' })
  topic!: string;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;
}
