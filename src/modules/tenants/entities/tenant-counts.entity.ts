import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How much a tenant has of what is limited; kept by triggers. */
@Entity('tenant_counts')
export class TenantCountsEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('bigint', { default: 0 })
  users!: number;

  @Column('bigint', { default: 0 })
  rooms!: number;
}
