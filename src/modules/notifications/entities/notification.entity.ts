import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, notExported, TableData } from '../../../platform/tenant-data';

/** A notification and its targets. */
@Entity('notifications')
@TableData({
  rank: 20,
  exported: { tenant: notExported('told and done with'), user: 'notification' },
  kept: 'as long as the tenant',
  columns: {
    topic: erasedBy('notifications'),
    payload: erasedBy('notifications'),
    user_ids: erasedBy('notifications'),
    fanned_to: erasedBy('notifications'),
  },
})
export class NotificationEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  notification_id!: string;

  @Column({ type: 'text', collation: 'C' })
  topic!: string;

  @Column('json')
  payload!: Record<string, unknown>;

  @Column({ type: 'text', array: true, collation: 'C' })
  user_ids!: string[];

  @Column('uuid', { nullable: true })
  room_id!: string | null;

  @Column('boolean')
  topic_subscribers!: boolean;

  /** All targets up to this user id have their delivery, and their connections were sent it. */
  @Column({ type: 'text', collation: 'C', default: '' })
  fanned_to!: string;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;
}

/** One notification of one user. */
@Entity('notification_deliveries')
@TableData({
  rank: 20,
  exported: { tenant: notExported('told and done with'), user: 'notification' },
  kept: 'as long as the tenant',
  columns: { user_id: erasedBy('notifications'), error: erasedBy('notifications') },
})
export class NotificationDeliveryEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @PrimaryColumn('uuid')
  notification_id!: string;

  /** When the notification was made, or its dead letter replayed. */
  @Column('timestamp with time zone', { precision: 3 })
  waits_since!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  delivered_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  read_at!: Date | null;

  /** When it was given up; it is a dead letter until it is delivered, replayed or dropped. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  dead_at!: Date | null;

  @Column('uuid', { nullable: true })
  dead_letter_id!: string | null;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('text', { nullable: true })
  error!: string | null;

  /** Its dead letter was dropped: it is given up no more, and still sent on connect. */
  @Column('boolean', { default: false })
  dropped!: boolean;
}

/** A user's wish to get the notifications of a topic. */
@Entity('subscriptions')
@TableData({
  rank: 10,
  exported: { tenant: 'subscription', user: 'subscription' },
  kept: 'until the user ends it',
  columns: { user_id: erasedBy('notifications'), topic: erasedBy('notifications') },
})
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
