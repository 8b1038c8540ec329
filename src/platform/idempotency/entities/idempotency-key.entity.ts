import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The first answer to a call with an Idempotency-Key. */
@Entity('idempotency_keys')
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
