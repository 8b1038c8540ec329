import { Injectable } from '@nestjs/common';
import { pageInfo, type PageRequest } from '../../../common/limits';
import { AGENT_PREFIX } from '../../../common/text';
import type { Caller } from '../../../platform/auth';
import { Presence } from '../../../realtime';
import { roomUuid, visible } from '../views';
import type { RoomPresenceDto } from '../dto/member.dto';
import { AgentPresence } from '../members/agent-presence';
import { PresenceRepository } from './presence.repository';
import { RoomsRepository } from '../rooms/rooms.repository';

/** Members that are looked at in one go: a large room stops no other call for longer than this takes. */
const SLICE = 2000;

function isAgent(userId: string): boolean {
  return userId.startsWith(AGENT_PREFIX);
}

/** Which members of a room are online, agents as long as they can answer. A large room is walked through once for all callers that ask meanwhile. */
@Injectable()
export class RoomPresenceService {
  private readonly walks = new Map<string, Promise<readonly string[]>>();

  constructor(
    private readonly rooms: RoomsRepository,
    private readonly repository: PresenceRepository,
    private readonly presence: Presence,
    private readonly agents: AgentPresence,
  ) {}

  /** The members that are online, in the order of joining. */
  async list(caller: Caller, roomId: string, page: PageRequest): Promise<RoomPresenceDto> {
    const uuid = roomUuid(roomId);
    visible(await this.rooms.access(caller.tenantId, uuid, caller.userId));
    const online = await this.online(caller.tenantId, uuid);
    const shown = online.slice(page.offset, page.offset + page.limit);
    return { online: shown, ...pageInfo(page, shown.length, online.length) };
  }

  private online(tenantId: string, roomId: string): Promise<readonly string[]> {
    const key = `${tenantId}:${roomId}`;
    const underWay = this.walks.get(key);
    if (underWay) return underWay;
    const walk = this.walk(tenantId, roomId).finally(() => this.walks.delete(key));
    this.walks.set(key, walk);
    return walk;
  }

  private async walk(tenantId: string, roomId: string): Promise<readonly string[]> {
    const online: string[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const members = await this.repository.membersAfter(tenantId, roomId, after, SLICE);
      const ids = members.map((member) => member.user_id);
      const [alive, areAgentsOnline] = await Promise.all([
        this.presence.online(tenantId, ids),
        ids.some(isAgent) && this.agents.canAnswer(tenantId),
      ]);
      online.push(...ids.filter((id) => (isAgent(id) ? areAgentsOnline : alive.has(id))));
      after = members.length === SLICE ? members.at(-1)?.member_no : undefined;
    }
    return online;
  }
}
