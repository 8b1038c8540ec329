import { Column, Entity, PrimaryColumn } from 'typeorm';
import { CONFIGURATION, erasedBy, notExported, TableData } from '../../../platform/tenant-data';

const COUNTS_OF_HERE = notExported('counts of what happened on this installation');
const NO_PERSON = notExported('no person is in it');
const KEPT = 'until the tenant goes';

/** What models used. */
abstract class Runs {
  @Column('bigint', { default: 0 })
  runs!: number;

  @Column('bigint', { default: 0 })
  prompt_tokens!: number;

  @Column('bigint', { default: 0 })
  completion_tokens!: number;

  @Column('bigint', { default: 0 })
  estimated_tokens!: number;

  @Column('numeric', { default: 0 })
  cost!: string;
}

/** A part of what a tenant used on a day. */
@Entity('usage_days')
@TableData({ rank: 70, exported: { tenant: COUNTS_OF_HERE, user: NO_PERSON }, kept: KEPT, columns: {} })
export class UsageDayEntity extends Runs {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('date')
  day!: string;

  @PrimaryColumn('integer')
  part!: number;

  @Column('bigint', { default: 0 })
  messages_sent!: number;

  @Column('bigint', { default: 0 })
  storage_delta!: number;

  @Column('bigint', { default: 0 })
  deliveries!: number;

  @Column('bigint', { default: 0 })
  webhook_posts!: number;

  @Column('integer', { default: 0 })
  peak_connections!: number;
}

/** What a user sent, and asked of models, on a day. */
@Entity('usage_users')
@TableData({
  rank: 70,
  exported: { tenant: COUNTS_OF_HERE, user: 'usage' },
  kept: KEPT,
  columns: { user_id: erasedBy('usage') },
})
export class UsageUserEntity extends Runs {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn({ type: 'text', collation: 'C' })
  user_id!: string;

  @PrimaryColumn('date')
  day!: string;

  @Column('bigint', { default: 0 })
  messages_sent!: number;
}

/** What was used in a room on a day; the room may be gone. */
@Entity('usage_chats')
@TableData({ rank: 70, exported: { tenant: COUNTS_OF_HERE, user: NO_PERSON }, kept: KEPT, columns: {} })
export class UsageChatEntity extends Runs {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('date')
  day!: string;

  @Column('bigint', { default: 0 })
  messages_sent!: number;
}

/** What was used of a model channel by a preset on a day. */
@Entity('usage_models')
@TableData({
  rank: 70,
  exported: { tenant: COUNTS_OF_HERE, user: NO_PERSON },
  kept: KEPT,
  columns: { channel: CONFIGURATION, preset: CONFIGURATION },
})
export class UsageModelEntity extends Runs {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn({ type: 'text', collation: 'C' })
  channel!: string;

  @PrimaryColumn({ type: 'text', collation: 'C' })
  preset!: string;

  @PrimaryColumn('date')
  day!: string;
}

/** How far a room is counted. */
@Entity('usage_rooms')
@TableData({
  rank: 40,
  exported: { tenant: COUNTS_OF_HERE, user: NO_PERSON },
  kept: 'as long as its room',
  columns: {},
})
export class UsageRoomEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @Column('bigint', { default: 0 })
  counted_seq!: number;
}

/** How far a tenant is counted. */
@Entity('usage_state')
@TableData({ rank: 70, exported: { tenant: COUNTS_OF_HERE, user: NO_PERSON }, kept: KEPT, columns: {} })
export class UsageStateEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('timestamp with time zone', { precision: 3 })
  complete_to!: Date;
}
