import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Tokens of a run as they came. */
@Entity('run_chunks')
export class RunChunkEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  run_id!: string;

  /** The number of its first token. */
  @PrimaryColumn('integer')
  first_index!: number;

  @Column('text')
  text!: string;

  /** Where each token ends in the text, in UTF-16 units. */
  @Column('integer', { array: true })
  ends!: readonly number[];

  @Column('timestamp with time zone', { precision: 3, default: () => "(clock_timestamp() + '01:00:00')" })
  expires_at!: Date;
}
