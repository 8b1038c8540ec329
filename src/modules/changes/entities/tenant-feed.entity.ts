import { Column, Entity, PrimaryColumn } from 'typeorm';
import { notExported, TableData } from '../../../platform/tenant-data';

const HERE = notExported('positions of this installation: a copy begins a feed of its own');
const NO_PERSON = notExported('no person is in it');

/** Whether and how far the changes of a tenant are collected. */
@Entity('tenant_feeds')
// Before its entries: a collector that finds no feed adds none.
@TableData({ rank: 60, exported: { tenant: HERE, user: NO_PERSON }, kept: 'until the tenant goes', columns: {} })
export class TenantFeedEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('boolean', { default: true })
  is_collected!: boolean;

  /** Of the log when collecting began. */
  @Column('bigint')
  epoch!: number;

  /** Entries up to this one are no more. */
  @Column('bigint', { default: 0 })
  gone_no!: number;

  @Column('bigint', { default: 0 })
  last_no!: number;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  began_at!: Date;

  /** The oldest transaction that ran when collecting began. */
  @Column('bigint')
  began_before!: number;

  /** When a back end asked, but for the last hour. */
  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  asked_at!: Date;

  /** When all rooms had been looked at. */
  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  swept_at!: Date;
}

/** Changes of one room in the order of its tenant. */
@Entity('tenant_feed')
@TableData({ rank: 70, exported: { tenant: HERE, user: NO_PERSON }, kept: 'seven days', columns: {} })
export class TenantFeedEntryEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('bigint')
  no!: number;

  @Column('uuid')
  room_id!: string;

  @Column('bigint')
  from_rev!: number;

  @Column('bigint')
  to_rev!: number;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;
}

/** Up to which revision the changes of a room are in the feed. */
@Entity('tenant_feed_rooms')
@TableData({
  rank: 70,
  exported: { tenant: HERE, user: NO_PERSON },
  kept: 'as long as its room, and until seven days after nobody has asked',
  columns: {},
})
export class TenantFeedRoomEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @Column('bigint')
  collected_rev!: number;
}
