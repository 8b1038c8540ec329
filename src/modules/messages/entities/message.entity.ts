import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, FIXED_WORD, TableData } from '../../../platform/tenant-data';

/** A message in the log; deleted ones stay as tombstones so that seq has no gap. */
@Entity('messages')
@TableData({
  rank: 30,
  exported: { tenant: 'message', user: 'message' },
  kept: 'until its retention ends, else as long as its room',
  columns: {
    sender_id: erasedBy('messages'),
    content: erasedBy('messages'),
    meta: erasedBy('messages'),
    client_message_id: erasedBy('messages'),
    body_hash: erasedBy('messages'),
    kind: FIXED_WORD,
    status: FIXED_WORD,
  },
})
export class MessageEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @Column('uuid')
  message_id!: string;

  /** The room's revision of the message's last change. */
  @Column('bigint')
  rev!: number;

  @Column({ type: 'text', collation: 'C' })
  sender_id!: string;

  @Column('text')
  content!: string;

  @Column('json', { nullable: true })
  meta!: Record<string, unknown> | null;

  @Column({ type: 'text', nullable: true, collation: 'C' })
  client_message_id!: string | null;

  /** What a repeat with the same client_message_id must be equal to; stays as it was at the first send. */
  @Column('bytea', { nullable: true })
  body_hash!: Buffer | null;

  @Column('text', { default: 'user' })
  kind!: 'user' | 'assistant' | 'system';

  @Column('text', { nullable: true })
  status!: string | null;

  @Column('bigint', { nullable: true })
  reply_to_seq!: number | null;

  @Column('timestamp with time zone', { precision: 3 })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  edited_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  deleted_at!: Date | null;
}
