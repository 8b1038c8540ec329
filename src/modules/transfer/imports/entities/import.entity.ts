import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, erasedBy, FIXED_WORD, notExported, TableData } from '../../../../platform/tenant-data';

export const IMPORT_SOURCES = ['chatapi', 'slack', 'stream'] as const;
export type ImportSource = (typeof IMPORT_SOURCES)[number];

export const IMPORT_STATES = ['uploading', 'validating', 'valid', 'invalid', 'running', 'done', 'failed'] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** What is wrong with a line. */
export interface ImportFault {
  /** Name of the entry of an archive; '' is the file itself. */
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  readonly field: string;
  readonly message: string;
}

/** What is taken in from a file, and how far that is. */
@Entity('imports')
@TableData({
  rank: 60,
  exported: { tenant: notExported('facts of this installation'), user: notExported('no person is in it') },
  kept: 'until the tenant goes; its file a week, and no longer than until it is done',
  columns: {
    source: FIXED_WORD,
    state: FIXED_WORD,
    sha256: cannotHold('a hash of the file'),
    faults: erasedBy('transfer'),
    counts: cannotHold('numbers by kinds of lines'),
    error: cannotHold("the server's own words"),
  },
})
export class ImportEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  import_id!: string;

  @Column('text')
  source!: ImportSource;

  @Column('text', { default: 'uploading' })
  state!: ImportState;

  /** Highest number of a part that was sent; 0: none was. */
  @Column('integer', { default: 0 })
  parts!: number;

  /** Of the file, as it was validated. */
  @Column('bigint', { nullable: true })
  bytes!: number | null;

  @Column('bytea', { nullable: true })
  sha256!: Buffer | null;

  /** The first 1,000. */
  @Column('jsonb', { default: [] })
  faults!: readonly ImportFault[];

  @Column('bigint', { default: 0 })
  fault_count!: number;

  /** What it has made, by kinds of lines. */
  @Column('jsonb', { default: {} })
  counts!: Readonly<Record<string, number>>;

  /** null: it was not started. */
  @Column('boolean', { nullable: true })
  keeps_ids!: boolean | null;

  @Column('text', { nullable: true })
  error!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  finished_at!: Date | null;
}
