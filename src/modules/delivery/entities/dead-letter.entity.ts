import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, erasedBy, notExported, TableData } from '../../../platform/tenant-data';

/** A run of consecutive messages that a member did not acknowledge and that are not sent any more by themselves. */
@Entity('dead_letters')
@TableData({
  rank: 10,
  exported: { tenant: notExported('work of this server'), user: notExported('their messages are exported') },
  kept: 'until it is delivered or dropped',
  columns: { user_id: erasedBy('delivery'), error: cannotHold('words of this server') },
})
export class DeadLetterEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @PrimaryColumn('bigint')
  from_seq!: number;

  @Column('bigint')
  to_seq!: number;

  /** The same for all letters of a member in a room; part of their ids. Of 60 bits: no JS number. */
  @Column('bigint')
  letter_no!: string;

  @Column('integer')
  attempts!: number;

  @Column('timestamp with time zone', { precision: 3 })
  last_attempt_at!: Date;

  @Column('text')
  error!: string;
}
