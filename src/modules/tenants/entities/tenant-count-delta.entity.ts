import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

/** What a transaction has added to the counts; gone at its end. */
@Entity('tenant_count_deltas')
export class TenantCountDeltaEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  delta_no!: number;

  @Column('bigint', { default: 0 })
  users!: number;

  @Column('bigint', { default: 0 })
  rooms!: number;
}
