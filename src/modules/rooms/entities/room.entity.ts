import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';
import type { RoomSettings } from '../settings';

export const ROOM_TYPES = ['dm', 'group', 'channel'] as const;
export type RoomType = (typeof ROOM_TYPES)[number] | 'ai';
export type Posting = 'members' | 'admins';

/** A room and the counters of its log. */
@Entity('rooms')
@TableData({
  rank: 50,
  exported: { tenant: 'room', user: 'membership' },
  kept: 'until it is deleted, its row with the tenant',
  columns: {
    type: FIXED_WORD,
    unique_key: erasedBy('rooms'),
    name: erasedBy('rooms'),
    metadata: erasedBy('rooms'),
    posting: FIXED_WORD,
    described_by: erasedBy('rooms'),
    agent_settings: FIXED_WORD,
    settings: FIXED_WORD,
  },
})
export class RoomEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @Column('text')
  type!: RoomType;

  /** Names the one dm of two users; unique per tenant. */
  @Column({ type: 'text', nullable: true, collation: 'C' })
  unique_key!: string | null;

  @Column('text', { nullable: true })
  name!: string | null;

  @Column('json', { nullable: true })
  metadata!: Record<string, unknown> | null;

  @Column('text', { default: 'members' })
  posting!: Posting;

  /** The oldest message that is kept; those before it are gone. */
  @Column('bigint', { default: 1 })
  first_seq!: number;

  @Column('bigint', { default: 0 })
  last_seq!: number;

  /** Counts every change of the room: messages, edits, deletes, membership, settings. */
  @Column('bigint', { default: 0 })
  last_rev!: number;

  @Column('integer', { default: 0 })
  member_count!: number;

  /** Numbers the members in the order of joining. */
  @Column('bigint', { default: 0 })
  members_added!: number;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  last_message_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, default: () => 'statement_timestamp()' })
  updated_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  deleted_at!: Date | null;

  /** Changes after this revision are all kept. */
  @Column('bigint', { default: 0 })
  first_rev!: number;

  /** How long messages are kept, 1 to 3,650 days; null: as the tenant says. */
  @Column('integer', { nullable: true })
  retention_days!: number | null;

  /** Nothing of the room goes while it is set. */
  @Column('boolean', { default: false })
  legal_hold!: boolean;

  /** Whose text may stand in name and metadata; null, and '' in it: of users whom nobody knows. */
  @Column({ type: 'text', array: true, collation: 'C', nullable: true })
  described_by!: string[] | null;

  /** Null: it has no agent. */
  @Column('boolean', { nullable: true })
  has_agents!: boolean | null;

  /** Null: the defaults. */
  @Column('jsonb', { nullable: true })
  agent_settings!: { readonly max_hops?: number; readonly control?: string } | null;

  /** What was set of them; null: nothing. */
  @Column('jsonb', { nullable: true })
  settings!: Partial<RoomSettings> | null;

  /** Null: no state of a message was ever set. */
  @Column('boolean', { nullable: true })
  has_states!: boolean | null;
}

/** A user's membership of a room. */
@Entity('room_members')
@TableData({
  rank: 40,
  exported: { tenant: 'member', user: 'membership' },
  kept: 'until the member leaves',
  columns: { user_id: erasedBy('rooms'), role: FIXED_WORD },
})
export class RoomMemberEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @Column('text')
  role!: MemberRole;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  joined_at!: Date;

  /** The room's last_seq when the member joined: where the member's cursors begin. */
  @Column('bigint')
  joined_seq!: number;

  @Column('bigint')
  member_no!: number;
}

type MemberRole = 'admin' | 'member' | 'agent';

/** What a member has set for themselves in a room; no row: the defaults. */
@Entity('member_settings')
@TableData({
  rank: 30,
  exported: {
    tenant: notExported('what each member has set for themselves: a copy begins with the defaults'),
    user: 'membership',
  },
  kept: 'as long as the membership',
  columns: { user_id: erasedBy('rooms'), notify: FIXED_WORD },
})
export class MemberSettingsEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  muted_until!: Date | null;

  @Column('boolean', { default: false })
  is_hidden!: boolean;

  @Column('boolean', { default: false })
  is_favourite!: boolean;

  /** Which messages the webhook tells of for this member. */
  @Column('text', { default: 'all' })
  notify!: 'all' | 'mentions' | 'none';
}

/** A change of a room that is not a message: membership or settings. */
@Entity('room_events')
@TableData({
  rank: 40,
  exported: { tenant: 'event', user: notExported('what others see of what is exported') },
  kept: 'until its retention ends, else as long as its room',
  columns: { type: FIXED_WORD, payload: erasedBy('events') },
})
export class RoomEventEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('bigint')
  rev!: number;

  @Column('text')
  type!: string;

  @Column('jsonb')
  payload!: Record<string, unknown>;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;
}

/** A room that an import has made, or is making: under construction until `is_done`. */
@Entity('import_rooms')
@TableData({
  rank: 55,
  exported: { tenant: notExported('facts of this installation'), user: notExported('no person is in it') },
  kept: 'until the tenant goes',
  columns: {},
})
export class ImportRoomEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @Column('uuid')
  import_id!: string;

  @Column('boolean', { default: false })
  is_done!: boolean;

  /** Where the log ended that was imported. */
  @Column('bigint', { default: 0 })
  last_seq!: number;

  @Column('bigint', { default: 0 })
  last_rev!: number;
}
