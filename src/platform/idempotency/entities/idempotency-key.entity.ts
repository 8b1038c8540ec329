import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, notExported, TableData } from '../../tenant-data';

/** The first answer to a call with an Idempotency-Key. */
@Entity('idempotency_keys')
@TableData({
  rank: 10,
  exported: {
    tenant: notExported('a day old at most'),
    user: notExported('what it answers with is exported where it stands'),
  },
  kept: 'a day',
  columns: {
    user_id: erasedBy('idempotency'),
    route: erasedBy('idempotency'),
    key: erasedBy('idempotency'),
    fingerprint: erasedBy('idempotency'),
    result: erasedBy('idempotency'),
  },
})
export class IdempotencyKeyEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  route!: string;

  @PrimaryColumn('text', { collation: 'C' })
  key!: string;

  /** Of the body: another one is refused. */
  @Column('bytea')
  fingerprint!: Buffer;

  @Column('jsonb')
  result!: unknown;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3 })
  expires_at!: Date;
}
