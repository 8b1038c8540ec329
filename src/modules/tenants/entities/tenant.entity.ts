import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { TenantLimits, TenantSettings } from '../../../platform/auth';
import { cannotHold, CONFIGURATION, erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

/** One customer: an island of users, rooms and keys. */
@Entity('tenants')
@TableData({
  rank: 99,
  exported: { tenant: 'tenant', user: notExported('nothing of a person') },
  kept: 'until the tenant is deleted',
  columns: {
    name: CONFIGURATION,
    status: FIXED_WORD,
    settings: CONFIGURATION,
    limits: cannotHold('numbers'),
  },
})
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

  /** Its rows are being deleted since then; it is suspended as well. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  deleting_since!: Date | null;
}

/** A person (or bot) of a tenant; made on first use. */
@Entity('users')
@TableData({
  rank: 60,
  exported: { tenant: 'user', user: 'profile' },
  kept: 'until the user is erased',
  columns: { user_id: erasedBy('users'), profile: erasedBy('users') },
})
export class UserEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @Column('jsonb', { default: {} })
  profile!: Record<string, unknown>;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  last_seen_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  first_socket_at!: Date | null;

  /** Nothing that the user wrote goes while it is set. */
  @Column('boolean', { default: false })
  legal_hold!: boolean;
}

/** How much a tenant has of what is limited; kept by triggers. */
@Entity('tenant_counts')
@TableData({
  rank: 60,
  exported: { tenant: notExported('counted anew by the import'), user: notExported('nothing of a person') },
  kept: 'until the tenant is deleted',
  columns: {},
})
export class TenantCountsEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('bigint', { default: 0 })
  users!: number;

  @Column('bigint', { default: 0 })
  rooms!: number;
}

/** What a transaction has added to the counts; gone at its end. */
@Entity('tenant_count_deltas')
@TableData({
  rank: 60,
  exported: { tenant: notExported('counted anew by the import'), user: notExported('nothing of a person') },
  kept: 'until the end of its transaction',
  columns: {},
})
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
