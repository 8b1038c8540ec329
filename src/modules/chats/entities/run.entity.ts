import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, CONFIGURATION, erasedBy, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

export type RunState = 'queued' | 'streaming' | 'completed' | 'cancelled' | 'interrupted' | 'failed';

/** One try to answer a message of a chat. */
@Entity('runs')
@TableData({
  rank: 20,
  exported: { tenant: 'run', user: 'answer' },
  kept: 'as long as its chat',
  columns: {
    user_id: erasedBy('chats'),
    state: FIXED_WORD,
    channel: CONFIGURATION,
    model: CONFIGURATION,
    finish_reason: FIXED_WORD,
    error_code: FIXED_WORD,
    error_message: erasedBy('chats'),
    options: erasedBy('chats'),
    agent_id: cannotHold('the id of an agent'),
    refused: FIXED_WORD,
    reasoning: erasedBy('chats'),
  },
})
export class RunEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  run_id!: string;

  @Column('uuid')
  room_id!: string;

  @Column({ type: 'text', collation: 'C' })
  user_id!: string;

  /** The message that it answers. */
  @Column('bigint')
  reply_to_seq!: number;

  @Column('text', { default: 'queued' })
  state!: RunState;

  /** Counts the workers that took it: an earlier one can write no more. */
  @Column('bigint', { default: 0 })
  fence!: number;

  @Column('boolean', { default: false })
  is_cancelled!: boolean;

  @Column('bigint', { nullable: true })
  answer_seq!: number | null;

  /** Of an answer that has ended. */
  @Column('integer', { nullable: true })
  token_count!: number | null;

  @Column('text', { nullable: true })
  channel!: string | null;

  @Column('text', { nullable: true })
  model!: string | null;

  @Column('text', { nullable: true })
  finish_reason!: string | null;

  @Column('bigint', { nullable: true })
  prompt_tokens!: number | null;

  @Column('bigint', { nullable: true })
  completion_tokens!: number | null;

  @Column('bigint', { nullable: true })
  total_tokens!: number | null;

  @Column('boolean', { nullable: true })
  estimated!: boolean | null;

  @Column('text', { nullable: true })
  error_code!: string | null;

  @Column('text', { nullable: true })
  error_message!: string | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  started_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  ended_at!: Date | null;

  /** What the model is asked with. */
  @Column('json', { nullable: true })
  options!: object | null;

  /** Whether it is in the figures of usage; null until it is. */
  @Column('boolean', { nullable: true })
  is_counted!: boolean | null;

  /** By its channel's prices; null where that is not known. */
  @Column('numeric', { nullable: true })
  cost!: string | null;

  /** The agent of a room of people that answers; null: the assistant of a chat. */
  @Column({ type: 'text', nullable: true, collation: 'C' })
  agent_id!: string | null;

  /** Of an agent's answer: how many answers lie between it and a person. */
  @Column('smallint', { nullable: true })
  hops!: number | null;

  /** Why it asks no model, and is a notice. */
  @Column('text', { nullable: true })
  refused!: AgentRefusal | null;

  /** What the model thought, where the preset has it kept. */
  @Column('text', { nullable: true })
  reasoning!: string | null;
}

/** What an agent is asked too often of: one sender, its room, or its queue is full. */
export type AgentRefusal = 'pair' | 'room' | 'queue';

/** Tokens of a run as they came. */
@Entity('run_chunks')
@TableData({
  rank: 10,
  exported: {
    tenant: notExported('an hour old at most; the answer is a message'),
    user: notExported('an hour old at most; the answer is a message'),
  },
  kept: 'an hour',
  columns: { text: erasedBy('chats') },
})
export class RunChunkEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  run_id!: string;

  /** The number of its first token. */
  @PrimaryColumn('integer')
  first_index!: number;

  @Column('text')
  text!: string;

  /** Where each token ends in the text, in UTF-16 units. */
  @Column('integer', { array: true })
  ends!: readonly number[];

  @Column('timestamp with time zone', { precision: 3, default: () => "(clock_timestamp() + '01:00:00')" })
  expires_at!: Date;
}
