import { Injectable } from '@nestjs/common';
import { invalid, notFound } from '../../../common/errors';
import { encodeId } from '../../../common/ids';
import { AGENT_PREFIX } from '../../../common/text';
import { isoTime } from '../../../common/time';
import { type Caller, settingOf } from '../../../platform/auth';
import type { SchemaFunction } from '../../../platform/database';
import { type EffectResult, Effects } from '../../../platform/idempotency';
import { changing, RoomFeed } from '../../../realtime';
import { AgentRooms } from '../../messages';
import { roomUuid, visible } from '../../rooms';
import { LiveRuns } from '../runs/live-runs';
import {
  agentAdd,
  agentPause,
  agentRemove,
  type AgentRow,
  type AgentSettings,
  agentsSettle,
  agentStop,
  agentUpdate,
} from './agents.functions';
import { AgentsRepository } from './agents.repository';
import type {
  AddAgentDto,
  AgentDto,
  AgentSettingsDto,
  ChangeAgentDto,
  RoomAgentSettingsDto,
  RoomAgentsDto,
  StoppedAnswersDto,
} from './dto/agent.dto';

const DEFAULT_MAX_HOPS = 1;
const AGENT_ID = /^agent_[a-z0-9_-]{1,64}$/;

/** Changes rooms' agents: one function of the schema each, whose answers that end are told to end at once. */
@Injectable()
export class AgentChanges {
  constructor(
    private readonly effects: Effects,
    private readonly feed: RoomFeed,
    private readonly live: LiveRuns,
    private readonly rooms: AgentRooms,
  ) {}

  async make<A extends { readonly p_room: string; readonly p_agent: string }, R extends EffectResult>(
    caller: Caller,
    fn: SchemaFunction<A, R & { readonly runs?: readonly string[] }>,
    args: A,
    action?: 'agent.add' | 'agent.remove',
  ): Promise<R & { readonly runs?: readonly string[] }> {
    const { tenantId } = caller;
    const { p_room: roomId } = args;
    const audit = action && { action, target: encodeId('room', roomId) };
    const joined = action === 'agent.add' ? [args.p_agent] : [];
    const result = await changing(this.feed, { tenantId, roomId, joined }, () =>
      this.effects.call(caller, fn, args, { audit }),
    );
    this.live.stop(result.runs ?? []);
    if (action !== undefined) this.feed.touchRoom(tenantId, roomId, joined);
    this.rooms.note(tenantId, roomId);
    return result;
  }
}

/** The agents of rooms of people: who may do what with them stands in the schema's functions. */
@Injectable()
export class AgentsService {
  constructor(
    private readonly repository: AgentsRepository,
    private readonly changes: AgentChanges,
    private readonly effects: Effects,
  ) {}

  async list(caller: Caller, roomId: string): Promise<RoomAgentsDto> {
    const found = visible(await this.repository.ofRoom(caller.tenantId, roomUuid(roomId), caller.userId));
    return { agents: found.agents.map(agentView), settings: settingsView(caller, found.settings) };
  }

  /** @throws 400 (field `preset`) for an unknown preset, 403, 404, 409 for a second agent of a preset, or a 21st */
  async add(caller: Caller, roomId: string, { preset, respond, name }: AddAgentDto): Promise<AgentDto> {
    const change = changeOf(caller, roomId, AGENT_PREFIX + preset);
    const args = { ...change, p_preset: preset, p_respond: respond, p_name: name };
    return agentView((await this.changes.make(caller, agentAdd, args, 'agent.add')).agent);
  }

  async change(caller: Caller, roomId: string, agentId: string, body: ChangeAgentDto): Promise<AgentDto> {
    const { respond, name } = body;
    if (respond === undefined && name === undefined) throw invalid('respond', 'Send at least one of respond, name');
    const args = { ...changeOf(caller, roomId, agentId), p_respond: respond, p_name: name === null ? '' : name };
    return agentView((await this.changes.make(caller, agentUpdate, args)).agent);
  }

  /** @param until undefined: until it is resumed @throws 400 for a time that is over */
  async pause(caller: Caller, roomId: string, agentId: string, until: string | undefined): Promise<AgentDto> {
    if (until !== undefined && Date.parse(until) <= Date.now()) throw invalid('until', 'until must be in the future');
    const args = {
      ...changeOf(caller, roomId, agentId),
      p_on: true,
      p_until: until === undefined ? undefined : new Date(until),
    };
    return agentView((await this.changes.make(caller, agentPause, args)).agent);
  }

  async resume(caller: Caller, roomId: string, agentId: string): Promise<AgentDto> {
    const args = { ...changeOf(caller, roomId, agentId), p_on: false };
    return agentView((await this.changes.make(caller, agentPause, args)).agent);
  }

  /** Ends what the agent writes and what waits; their text so far is kept. */
  async stop(caller: Caller, roomId: string, agentId: string): Promise<StoppedAnswersDto> {
    const { runs } = await this.changes.make(caller, agentStop, changeOf(caller, roomId, agentId));
    return { message_ids: runs.map((runId) => encodeId('message', runId)) };
  }

  async remove(caller: Caller, roomId: string, agentId: string): Promise<void> {
    await this.changes.make(caller, agentRemove, changeOf(caller, roomId, agentId), 'agent.remove');
  }

  async settle(caller: Caller, roomId: string, body: AgentSettingsDto): Promise<RoomAgentSettingsDto> {
    const { max_hops, control } = body;
    if (max_hops === undefined && control === undefined)
      throw invalid('max_hops', 'Send at least one of max_hops, control');
    const args = { p_room: roomUuid(roomId), p_actor: caller.userId, p_max_hops: max_hops, p_control: control };
    const { settings } = await this.effects.call(caller, agentsSettle, args);
    return settingsView(caller, settings);
  }
}

function changeOf(
  caller: Caller,
  roomId: string,
  agentId: string,
): { readonly p_room: string; readonly p_actor: string; readonly p_open: boolean; readonly p_agent: string } {
  const p_room = roomUuid(roomId);
  // What cannot be an id is no agent.
  if (!AGENT_ID.test(agentId)) throw notFound('Agent');
  const p_open = settingOf(caller.tenant, 'agent_control') === 'members';
  return { p_room, p_actor: caller.userId, p_open, p_agent: agentId };
}

function agentView({ created_at, paused_until, ...agent }: AgentRow): AgentDto {
  return {
    agent_id: agent.agent_id,
    preset: agent.preset,
    name: agent.name,
    respond: agent.respond,
    paused: agent.paused,
    paused_until: paused_until === null ? null : isoTime(paused_until),
    created_at: isoTime(created_at),
  };
}

function settingsView(caller: Caller, { max_hops, control }: AgentSettings): RoomAgentSettingsDto {
  return { max_hops: max_hops ?? DEFAULT_MAX_HOPS, control: control ?? settingOf(caller.tenant, 'agent_control') };
}
