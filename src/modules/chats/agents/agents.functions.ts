import { AppError, forbidden, invalid, notFound } from '../../../common/errors';
import { answer, schemaFunction } from '../../../platform/database';
import type { RoomAgentEntity } from '../entities/room-agent.entity';

/** An agent as agent_json gives it. */
export interface AgentRow extends Readonly<Pick<RoomAgentEntity, 'agent_id' | 'preset' | 'name' | 'respond'>> {
  readonly paused: boolean;
  /** Null also where it is paused until somebody resumes it. */
  readonly paused_until: string | null;
  readonly created_at: string;
}

/** How agents behave in a room; what is missing has its default. */
export interface AgentSettings {
  readonly max_hops?: number;
  readonly control?: 'admins' | 'members';
}

interface AgentResult {
  readonly agent: AgentRow;
}

/** UUIDs of answers that end. */
interface Ended {
  readonly runs: readonly string[];
}

/** `p_open`: members may, where the room does not say who may. */
const CHANGE = { p_room: 'uuid', p_actor: 'text', p_open: 'boolean', p_agent: 'text' } as const;

const UNSEEN = {
  no_room: () => notFound('Room'),
  forbidden: () => forbidden('You may not do this in this room'),
} satisfies Readonly<Record<string, () => AppError>>;

const REFUSALS = {
  ...UNSEEN,
  fixed: () => forbidden('The members of this room are fixed'),
} satisfies Readonly<Record<string, () => AppError>>;

const no_agent = (): AppError => notFound('Agent');

export const agentAdd = schemaFunction(
  'agent_add',
  { ...CHANGE, p_preset: 'text', p_respond: 'text', p_name: 'text?' },
  answer<AgentResult>({
    ...REFUSALS,
    no_preset: () => invalid('preset', 'There is no such preset; GET /api/presets lists them'),
    exists: () => new AppError('CONFLICT', 'This preset has an agent in this room already'),
    full: () => new AppError('CONFLICT', 'A room has at most 20 agents'),
  }),
);

/** What is left out stays; a name of '' takes it away. */
export const agentUpdate = schemaFunction(
  'agent_update',
  { ...CHANGE, p_respond: 'text?', p_name: 'text?' },
  answer<AgentResult>({ ...REFUSALS, no_agent }),
);

/** `p_until`: null is until somebody resumes it; of no meaning where `p_on` is false, which resumes it. */
export const agentPause = schemaFunction(
  'agent_pause',
  { ...CHANGE, p_on: 'boolean', p_until: 'timestamptz?' },
  answer<AgentResult & Ended>({ ...REFUSALS, no_agent }),
);

/** Stops what the agent writes and what waits: all of it, or what the actor asked for. */
export const agentStop = schemaFunction('agent_stop', CHANGE, answer<Ended>({ ...UNSEEN, no_agent }));

export const agentRemove = schemaFunction('agent_remove', CHANGE, answer<Ended>({ ...REFUSALS, no_agent }));

/** Merges what is given into the room's settings of agents. */
export const agentsSettle = schemaFunction(
  'agents_settle',
  { p_room: 'uuid', p_actor: 'text', p_max_hops: 'integer?', p_control: 'text?' },
  answer<{ readonly settings: AgentSettings }>(REFUSALS),
);
