import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, notExported, TableData } from '../../../platform/tenant-data';

/** How far a member has got in a room. No row: the member's joined_seq. */
@Entity('cursors')
@TableData({
  rank: 30,
  exported: { tenant: notExported('stand at the end of the log after an import'), user: 'cursor' },
  kept: 'as long as the membership',
  columns: { user_id: erasedBy('delivery') },
})
export class CursorEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @Column('bigint', { default: 0 })
  acked_seq!: number;

  @Column('bigint', { default: 0 })
  read_seq!: number;

  /** Whether there may be dead letters: an ack looks for them only then. */
  @Column('boolean', { default: false })
  has_dead_letters!: boolean;

  /** The member has marked the room unread from here on. */
  @Column('bigint', { nullable: true })
  unread_seq!: number | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  updated_at!: Date;
}
