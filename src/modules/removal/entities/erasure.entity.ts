import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

export type ErasureState = 'refusing' | 'erasing' | 'done' | 'failed';

const OF_HERE = notExported('about what was taken out of this installation');

/** The erase of one person: its progress, and afterwards its certificate, which names nobody. */
@Entity('erasures')
@TableData({
  rank: 60,
  exported: { tenant: OF_HERE, user: OF_HERE },
  kept: 'until the tenant is deleted; whose it was until its end, as a keyed hash for a day',
  columns: {
    user_id: erasedBy('users'),
    user_mac: cannotHold('a keyed hash, null a day later'),
    mac_key_id: cannotHold('which key that was'),
    erased_id: cannotHold('random'),
    state: FIXED_WORD,
    step: FIXED_WORD,
    step_cursor: cannotHold('random ids and numbers; null at the end'),
    counts: cannotHold('numbers'),
    error: cannotHold('words of this server'),
  },
})
export class ErasureEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  erasure_id!: string;

  /** null once it is done. */
  @Column({ type: 'text', nullable: true, collation: 'C' })
  user_id!: string | null;

  /** HMAC-SHA-256 of the id: calls as that user are refused. null: a day has passed. */
  @Column('bytea', { nullable: true })
  user_mac!: Buffer | null;

  @Column('text')
  mac_key_id!: string;

  /** What stands in place of the id. */
  @Column({ type: 'text', collation: 'C' })
  erased_id!: string;

  @Column('text', { default: 'refusing' })
  state!: ErasureState;

  /** The step that is under way, a name of ERASE_STEPS; null: none has begun, or a pass over all is over. */
  @Column('text', { nullable: true })
  step!: string | null;

  /** Where its next batch goes on. */
  @Column('jsonb', { nullable: true })
  step_cursor!: object | null;

  /** Rows that this pass over all steps has found. */
  @Column('bigint', { default: 0 })
  found!: number;

  /** Rows by what they were. */
  @Column('jsonb', { default: {} })
  counts!: Record<string, number>;

  @Column('text', { nullable: true })
  error!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  requested_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  finished_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  updated_at!: Date;
}
