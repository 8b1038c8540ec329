import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { erasedBy, FIXED_WORD, notExported, TableData } from '../../tenant-data';

/** Work to be done, or given up; what is done has no row. */
@Entity('jobs')
@TableData({
  rank: 90,
  lastRows: `kind = 'tenant.delete'`,
  exported: { tenant: notExported('work of this server'), user: notExported('work of this server') },
  kept: 'until it is done; days when it was given up',
  columns: {
    kind: FIXED_WORD,
    key: erasedBy('jobs'),
    payload: erasedBy('jobs'),
    state: FIXED_WORD,
    last_error: erasedBy('jobs'),
  },
})
export class JobEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column('text')
  kind!: string;

  /** Of those with one key only so many run at once. */
  @Column({ type: 'text', collation: 'C' })
  key!: string;

  @Column('jsonb')
  payload!: unknown;

  @Column('text', { default: 'queued' })
  state!: 'queued' | 'running' | 'dead';

  /** When it is due. */
  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  run_at!: Date;

  @Column('integer', { default: 0 })
  attempts!: number;

  /** Counts the claims: an ending of an earlier one is refused. */
  @Column('bigint', { default: 0 })
  fence!: number;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  lease_until!: Date | null;

  @Column('text', { nullable: true })
  last_error!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  ended_at!: Date | null;
}
