import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What was said, and to whom. */
@Entity('notifications')
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

  /** All targets up to this user id have their delivery and were told. */
  @Column({ type: 'text', collation: 'C', default: '' })
  fanned_to!: string;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;
}
