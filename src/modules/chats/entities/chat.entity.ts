import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, TableData } from '../../../platform/tenant-data';

/** A conversation with a model; its name, metadata and messages are those of its room. */
@Entity('chats')
@TableData({
  rank: 20,
  exported: { tenant: 'chat', user: 'chat' },
  kept: 'until it is deleted, its row with the tenant',
  columns: {
    user_id: erasedBy('chats'),
    group_id: erasedBy('chats'),
    preset: erasedBy('chats'),
    external_id: erasedBy('chats'),
  },
})
export class ChatEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @Column({ type: 'text', collation: 'C' })
  user_id!: string;

  @Column({ type: 'text', collation: 'C', nullable: true })
  group_id!: string | null;

  @Column({ type: 'text', collation: 'C' })
  preset!: string;

  /** Whether the first answer names it. */
  @Column('boolean')
  auto_title!: boolean;

  /** Takes what names no conversation. */
  @Column('boolean', { default: false })
  is_active!: boolean;

  /** Messages up to here are no context. */
  @Column('bigint', { default: 0 })
  cleared_seq!: number;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  active_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  deleted_at!: Date | null;

  /** What the user's own client calls it; null: nothing. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  external_id!: string | null;
}
