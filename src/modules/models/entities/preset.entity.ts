import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, CONFIGURATION, notExported, TableData } from '../../../platform/tenant-data';

/** How an assistant of a tenant is asked to behave; `default` only where the tenant has changed it. */
@Entity('presets')
@TableData({
  rank: 60,
  exported: { tenant: 'preset', user: notExported('nothing of a person') },
  kept: 'until it is deleted',
  columns: {
    name: CONFIGURATION,
    system_prompt: cannotHold('written with an admin key, for all users'),
    model: CONFIGURATION,
    options: CONFIGURATION,
  },
})
export class PresetEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn({ type: 'text', collation: 'C' })
  name!: string;

  @Column('text')
  system_prompt!: string;

  @Column('text', { nullable: true })
  model!: string | null;

  @Column('double precision', { nullable: true })
  temperature!: number | null;

  @Column('integer', { nullable: true })
  max_tokens!: number | null;

  @Column('integer')
  context_messages!: number;

  /** What it is given beyond its columns. */
  @Column('jsonb', { default: {} })
  options!: object;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  updated_at!: Date;
}
