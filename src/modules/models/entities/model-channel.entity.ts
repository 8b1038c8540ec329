import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, CONFIGURATION, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

/** A tenant's way to a model. */
@Entity('model_channels')
@TableData({
  rank: 60,
  exported: { tenant: 'channel', user: notExported('nothing of a person') },
  kept: 'until it is deleted',
  columns: {
    name: CONFIGURATION,
    provider: FIXED_WORD,
    base_url: CONFIGURATION,
    api_key: cannotHold("the operator's secret, sealed"),
    model: CONFIGURATION,
    options: CONFIGURATION,
  },
})
export class ModelChannelEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  channel_id!: string;

  @Column({ type: 'text', collation: 'C' })
  name!: string;

  @Column('text')
  provider!: string;

  @Column('text')
  base_url!: string;

  /** Sealed. */
  @Column('text', { nullable: true })
  api_key!: string | null;

  @Column('text')
  model!: string;

  @Column('integer')
  priority!: number;

  @Column('integer')
  weight!: number;

  @Column('boolean')
  enabled!: boolean;

  @Column('integer', { nullable: true })
  max_tokens!: number | null;

  @Column('double precision', { nullable: true })
  temperature!: number | null;

  @Column('integer')
  timeout_ms!: number;

  /** What it is given beyond its columns. */
  @Column('jsonb', { default: {} })
  options!: object;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  updated_at!: Date;
}
