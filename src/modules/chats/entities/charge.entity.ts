import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

const COUNTS_OF_HERE = notExported('counts of what happened on this installation');
const KEPT = '90 days';

/** What one call of a model has cost, or holds of the budgets while it runs. */
@Entity('charges')
@TableData({
  rank: 20,
  exported: { tenant: COUNTS_OF_HERE, user: notExported('the figures of usage are exported') },
  kept: KEPT,
  columns: { user_id: erasedBy('chats') },
})
export class ChargeEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  /** Of an answer its run's. */
  @PrimaryColumn('uuid')
  charge_id!: string;

  /** UTC, of the reservation. */
  @Column('date')
  day!: string;

  @Column({ type: 'text', collation: 'C', nullable: true })
  user_id!: string | null;

  @Column('uuid', { nullable: true })
  room_id!: string | null;

  @Column('bigint')
  context_tokens!: number;

  @Column('bigint')
  reserved!: number;

  /** Per million tokens, as the next. */
  @Column('numeric', { default: 0 })
  price_input!: string;

  @Column('numeric', { default: 0 })
  price_output!: string;

  @Column('numeric', { default: 0 })
  reserved_cost!: string;

  /** Null until it has ended, as the next. */
  @Column('bigint', { nullable: true })
  tokens!: number | null;

  @Column('numeric', { nullable: true })
  cost!: string | null;

  /** It is in the sums of its day. */
  @Column('boolean', { default: false })
  is_folded!: boolean;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  ended_at!: Date | null;
}

/** What is folded of a day's charges. */
@Entity('charge_days')
@TableData({
  rank: 20,
  exported: { tenant: COUNTS_OF_HERE, user: notExported('the figures of usage are exported') },
  kept: KEPT,
  columns: { scope: FIXED_WORD, subject: erasedBy('chats'), warned: FIXED_WORD },
})
export class ChargeDayEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('date')
  day!: string;

  @PrimaryColumn('text')
  scope!: 'tenant' | 'user' | 'chat';

  /** A user's id or a chat's UUID; empty for the tenant. */
  @PrimaryColumn({ type: 'text', collation: 'C' })
  subject!: string;

  @Column('bigint', { default: 0 })
  tokens!: number;

  @Column('numeric', { default: 0 })
  cost!: string;

  /** Limits of which it was told that they are nearly spent. */
  @Column('text', { array: true, default: [] })
  warned!: string[];
}
