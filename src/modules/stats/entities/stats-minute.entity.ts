import { Column, Entity, PrimaryColumn } from 'typeorm';
import { notExported, TableData } from '../../../platform/tenant-data';

/** What was counted within a minute. */
abstract class MinuteEntity {
  @Column('integer')
  connections!: number;

  @Column('integer')
  online!: number;

  @Column('bigint')
  messages_sent!: number;

  @Column('bigint')
  deliveries!: number;

  @Column('bigint')
  refused!: number;

  @Column('bigint')
  tokens!: number;

  /** Of sends within the minute before it was written. */
  @Column('real', { nullable: true })
  p50_ms!: number | null;

  @Column('real', { nullable: true })
  p99_ms!: number | null;
}

/** What a tenant did within a minute; none where it did nothing and was not connected. */
@Entity('stats_minutes')
@TableData({
  rank: 70,
  exported: {
    tenant: notExported('counts of what happened on this installation'),
    user: notExported('no person is in it'),
  },
  kept: 'seven days',
  columns: {},
})
export class StatsMinuteEntity extends MinuteEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('timestamp with time zone', { precision: 0 })
  minute!: Date;
}

/** What a node did within a minute. */
@Entity('server_minutes')
export class ServerMinuteEntity extends MinuteEntity {
  @PrimaryColumn('timestamp with time zone', { precision: 0 })
  minute!: Date;

  @PrimaryColumn('uuid')
  node_id!: string;

  /** The most within the minute; so are those below. */
  @Column('bigint')
  queue_bytes!: number;

  @Column('integer')
  append_items!: number;

  @Column('real')
  append_oldest_ms!: number;

  @Column('real')
  loop_p99_ms!: number;

  @Column('bigint')
  rss_bytes!: number;
}
