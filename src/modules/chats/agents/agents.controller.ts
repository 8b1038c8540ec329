import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { AgentsService } from './agents.service';
import {
  AddAgentDto,
  AgentDto,
  AgentSettingsDto,
  ChangeAgentDto,
  PauseAgentDto,
  RoomAgentsDto,
  RoomAgentSettingsDto,
  StoppedAnswersDto,
} from './dto/agent.dto';

@ApiTags('Agents')
@Controller('rooms/:room_id/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  /**
   * List a room's agents, and how they behave there.
   * @remarks
   * Who may list the members may list these: of a group its members (else 403), of a channel everybody in the tenant.
   */
  @Get()
  @Access('user')
  @ApiErrors('NOT_FOUND')
  list(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<RoomAgentsDto> {
    return this.agents.list(caller, roomId);
  }

  /**
   * Add an agent: a member that answers by a preset. Room admins, or members where `control` says so.
   * @remarks
   * Its user id is `agent_<preset>`, its role `agent`. Who writes it into `meta.mentions` asks it; its answer streams to all
   * members (`message.stream.*`) and is a message of the room. A second agent of a preset is CONFLICT, and so is a 21st in
   * a room. A dm's members are fixed (403); an unknown preset is 400.
   */
  @Post()
  @Access('user')
  @Audited('agent.add')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  add(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string, @Body() body: AddAgentDto): Promise<AgentDto> {
    return this.agents.add(caller, roomId, body);
  }

  /**
   * Say how agents behave in a room. Room admins.
   * @remarks
   * What is not sent stays. `max_hops` bounds how agents answer each other; `control` says who else may add, change, pause
   * and remove them.
   */
  @Patch()
  @Access('user')
  @ApiErrors('NOT_FOUND')
  settle(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Body() body: AgentSettingsDto,
  ): Promise<RoomAgentSettingsDto> {
    return this.agents.settle(caller, roomId, body);
  }

  /**
   * Change what an agent answers, or its name.
   * @remarks
   * Who may add agents may. It counts for messages from now on. An agent that is not in the room is 404.
   */
  @Patch(':agent_id')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  change(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('agent_id') agentId: string,
    @Body() body: ChangeAgentDto,
  ): Promise<AgentDto> {
    return this.agents.change(caller, roomId, agentId, body);
  }

  /**
   * Remove an agent. What it is writing ends without a message.
   * @remarks
   * Who may add agents may. All are told by a `member.left` frame. An agent that is not in the room is 404.
   */
  @Delete(':agent_id')
  @HttpCode(204)
  @Access('user')
  @Audited('agent.remove')
  @ApiErrors('NOT_FOUND')
  remove(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('agent_id') agentId: string,
  ): Promise<void> {
    return this.agents.remove(caller, roomId, agentId);
  }

  /**
   * Take over: the agent is silent until a time, or until it is resumed. What it is writing ends, with its text kept.
   * @remarks
   * Who may add agents may. What is said meanwhile it does not answer later, but it reads it with the next question, and
   * knows that it was away. Again: another `until`. A time that is over is 400.
   */
  @Post(':agent_id/pause')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  pause(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('agent_id') agentId: string,
    @Body() body: PauseAgentDto,
  ): Promise<AgentDto> {
    return this.agents.pause(caller, roomId, agentId, body.until ?? undefined);
  }

  /**
   * Let a paused agent speak again; one that is not paused stays as it is.
   * @remarks
   * Who may add agents may. An agent that is not in the room is 404.
   */
  @Post(':agent_id/resume')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  resume(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('agent_id') agentId: string,
  ): Promise<AgentDto> {
    return this.agents.resume(caller, roomId, agentId);
  }

  /**
   * Stop what an agent is writing, and what waits; the text so far is kept.
   * @remarks
   * Who may add agents stops all of it; every other member what they have asked for themselves. The answers end as
   * `cancelled` a moment later; nothing to stop is no error. Who is no member is 403.
   */
  @Post(':agent_id/stop')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  stop(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('agent_id') agentId: string,
  ): Promise<StoppedAnswersDto> {
    return this.agents.stop(caller, roomId, agentId);
  }
}
