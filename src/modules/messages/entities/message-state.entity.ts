import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, notExported, TableData } from '../../../platform/tenant-data';

/** A key that a user has given a message (docs/adr/0043). */
@Entity('message_reactions')
@TableData({
  rank: 30,
  exported: {
    tenant: notExported('the counts of a message are no part of its log'),
    user: 'reaction',
  },
  kept: 'as long as its message, until it is taken back',
  columns: { user_id: erasedBy('reactions'), key: erasedBy('reactions') },
})
export class MessageReactionEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @PrimaryColumn('text', { collation: 'C' })
  key!: string;

  /** The room's revision of the change: the order in which the key was given. */
  @Column('bigint')
  rev!: number;

  @Column('timestamp with time zone', { precision: 3 })
  created_at!: Date;
}

/** A key of a message as it is shown. */
export interface ReactionCount {
  readonly key: string;
  readonly count: number;
  /** The first three who gave it. */
  readonly users: string[];
}

/** What is shown of the reactions to a message. */
@Entity('message_reaction_counts')
@TableData({
  rank: 30,
  exported: {
    tenant: notExported('made of message_reactions'),
    user: notExported('made of message_reactions'),
  },
  kept: 'as long as its message',
  columns: { counts: erasedBy('reactions') },
})
export class MessageReactionCountsEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @Column('uuid')
  message_id!: string;

  /** Of the last change of them. */
  @Column('bigint')
  rev!: number;

  /** In the order in which the keys came; at most 30. */
  @Column('jsonb')
  counts!: readonly ReactionCount[];
}

/** A message that is pinned, or was. */
@Entity('room_pins')
@TableData({
  rank: 30,
  exported: {
    tenant: notExported('what a room shows on top is no part of its log'),
    user: notExported('the messages are exported'),
  },
  kept: 'as long as its message',
  columns: { pinned_by: erasedBy('reactions') },
})
export class RoomPinEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @Column('uuid')
  message_id!: string;

  @Column('bigint')
  rev!: number;

  @Column({ type: 'text', nullable: true, collation: 'C' })
  pinned_by!: string | null;

  /** Null: it is pinned no more. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  pinned_at!: Date | null;
}
