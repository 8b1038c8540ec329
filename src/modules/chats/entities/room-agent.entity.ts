import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, CONFIGURATION, erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

export const RESPONDS = ['mention', 'always', 'never'] as const;
export type Respond = (typeof RESPONDS)[number];

const WHY_NOT = 'an agent that came with an import would answer before anybody wants it to';

/** An agent of a room of people: a member that answers by a preset. */
@Entity('room_agents')
@TableData({
  rank: 30,
  exported: { tenant: notExported(WHY_NOT), user: notExported('no person is in it') },
  kept: 'until the agent is removed',
  columns: {
    agent_id: cannotHold('the id of an agent'),
    preset: CONFIGURATION,
    name: erasedBy('chats'),
    named_by: erasedBy('chats'),
    respond: FIXED_WORD,
  },
})
export class RoomAgentEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  /** `agent_<preset>`: its user id. */
  @PrimaryColumn('text', { collation: 'C' })
  agent_id!: string;

  @Column({ type: 'text', collation: 'C' })
  preset!: string;

  /** What it is called; null: by its id. */
  @Column('text', { nullable: true })
  name!: string | null;

  /** Whose text the name is; null: there is none, or they were erased. */
  @Column({ type: 'text', nullable: true, collation: 'C' })
  named_by!: string | null;

  @Column('text')
  respond!: Respond;

  /** When its last pause began. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  paused_at!: Date | null;

  /** It is silent before then. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  paused_until!: Date | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;
}
