import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, notExported, TableData } from '../../../platform/tenant-data';

/** A message as it was before it was edited or deleted under a legal hold. */
@Entity('held_messages')
@TableData({
  rank: 30,
  exported: {
    tenant: notExported('under a hold, shown to nobody'),
    user: notExported('under a hold, shown to nobody'),
  },
  kept: 'until no hold covers it',
  columns: { sender_id: erasedBy('messages'), content: erasedBy('messages'), meta: erasedBy('messages') },
})
export class HeldMessageEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  /** Of the content that is kept. */
  @PrimaryColumn('bigint')
  rev!: number;

  @Column({ type: 'text', collation: 'C' })
  sender_id!: string;

  @Column('text')
  content!: string;

  @Column('json', { nullable: true })
  meta!: Record<string, unknown> | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  held_at!: Date;
}
