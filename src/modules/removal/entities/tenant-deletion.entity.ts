import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, FIXED_WORD, NEVER, notExported, TableData } from '../../../platform/tenant-data';

/** How far the deletion of a tenant is; afterwards what it was. */
@Entity('tenant_deletions')
@TableData({
  rank: NEVER,
  exported: { tenant: notExported('the tenant is gone by then'), user: notExported('nothing of a person') },
  kept: 'for ever: with the row in the audit log of the installation it proves the deletion',
  columns: {
    state: FIXED_WORD,
    deleted: cannotHold('numbers of rows by table'),
    error: cannotHold('words of the server'),
    request_id: cannotHold("the id of an operator's call"),
    address: cannotHold("the operator's"),
  },
})
export class TenantDeletionEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('uuid')
  deletion_id!: string;

  /** `waiting` until nobody can add a row any more. */
  @Column('text', { default: 'waiting' })
  state!: 'waiting' | 'deleting' | 'done' | 'failed';

  /** Rows that were deleted, by table. */
  @Column('jsonb', { default: {} })
  deleted!: Readonly<Record<string, number>>;

  @Column('text', { nullable: true })
  error!: string | null;

  /** Of the call that asked for it; so is the address. */
  @Column('text')
  request_id!: string;

  @Column('text', { nullable: true })
  address!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  started_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  finished_at!: Date | null;
}
