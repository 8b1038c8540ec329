import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantLimits, TenantSettings } from '../../../platform/auth';

/** One customer: an island of users, rooms and keys. */
@Entity('tenants')
export class TenantEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('text')
  name!: string;

  @Column('text', { default: 'active' })
  status!: 'active' | 'suspended';

  @Column('jsonb', { default: {} })
  settings!: TenantSettings;

  @Column('jsonb', { default: {} })
  limits!: TenantLimits;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  updated_at!: Date;
}
