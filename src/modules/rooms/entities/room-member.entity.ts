import { Column, Entity, PrimaryColumn } from 'typeorm';

export type MemberRole = 'admin' | 'member' | 'agent';

/** A user's membership of a room. */
@Entity('room_members')
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
