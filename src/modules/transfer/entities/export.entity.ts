import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

export type ExportKind = 'tenant' | 'user';
export type ExportState = 'queued' | 'running' | 'ready' | 'failed' | 'expired';

/** An export, its file beside it as long as it is `ready`. */
@Entity('exports')
@TableData({
  rank: 60,
  exported: {
    tenant: notExported('files of what is exported'),
    user: notExported('files of what is exported'),
  },
  kept: 'thirty days after its file has expired',
  columns: {
    kind: FIXED_WORD,
    user_id: erasedBy('transfer'),
    state: FIXED_WORD,
    sha256: cannotHold('hash of the file'),
    error: cannotHold('words of this server'),
  },
})
export class ExportEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  export_id!: string;

  @Column('text')
  kind!: ExportKind;

  /** Whose data it is; null: the whole tenant's. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  user_id!: string | null;

  @Column('text', { default: 'queued' })
  state!: ExportState;

  /** Counts those who began to write it; a file carries the number. */
  @Column('integer', { default: 0 })
  attempt!: number;

  /** Lines of the file, header and end left out. */
  @Column('bigint', { nullable: true })
  line_count!: number | null;

  /** Of the file, as it is sent. */
  @Column('bigint', { nullable: true })
  bytes!: number | null;

  /** Of the file, as it is sent. */
  @Column('bytea', { nullable: true })
  sha256!: Buffer | null;

  @Column('text', { nullable: true })
  error!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  ready_at!: Date | null;

  /** When the file goes; of a failed one when it failed. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  expires_at!: Date | null;
}
