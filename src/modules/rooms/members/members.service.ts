import { Injectable } from '@nestjs/common';
import { notFound } from '../../../common/errors';
import type { PageRequest } from '../../../common/limits';
import { userIdFault } from '../../../common/text';
import { isoTime } from '../../../common/time';
import type { Caller } from '../../../platform/auth';
import { Presence } from '../../../realtime';
import { UsersService } from '../../tenants';
import { roomUuid, visible } from '../views';
import type { AddMembersDto, MemberDto } from '../dto/member.dto';
import { AgentPresence } from './agent-presence';
import { memberRemove, membersAdd, memberSetRole, RoomChanges, roomJoin } from '../rooms.functions';
import { type MemberRow, RoomsRepository } from '../rooms/rooms.repository';

/** The members of a room. */
@Injectable()
export class MembersService {
  constructor(
    private readonly repository: RoomsRepository,
    private readonly changes: RoomChanges,
    private readonly users: UsersService,
    private readonly presence: Presence,
    private readonly agents: AgentPresence,
  ) {}

  /** Members in the order of joining. */
  async list(caller: Caller, roomId: string, page: PageRequest): Promise<{ items: MemberDto[]; total: number }> {
    const found = visible(await this.repository.members(caller.tenantId, roomUuid(roomId), caller.userId, page));
    return { items: await this.views(caller.tenantId, found.rows), total: found.total };
  }

  /** Adds users (room admins); answers with those that were named, in the order of joining. */
  async add(caller: Caller, roomId: string, input: AddMembersDto): Promise<MemberDto[]> {
    const users = [...new Set(input.user_ids)];
    const args = { ...asAdmin(caller, roomId), p_users: users, p_role: input.role ?? 'member' };
    const { members } = await this.changes.make(caller, membersAdd, args, { joined: users });
    return this.views(caller.tenantId, members);
  }

  /** Joins a channel; joining again changes nothing. */
  async join(caller: Caller, roomId: string): Promise<MemberDto> {
    const { userId } = caller;
    const args = { p_room: roomUuid(roomId), p_user: userId };
    const { member } = await this.changes.make(caller, roomJoin, args, { joined: [userId] });
    return this.view(caller.tenantId, member);
  }

  /** Room admins; a room keeps at least one admin (409). */
  async setRole(caller: Caller, roomId: string, userId: string, role: string): Promise<MemberDto> {
    const args = { p_user: memberId(userId), ...asAdmin(caller, roomId), p_role: role };
    const { member } = await this.changes.make(caller, memberSetRole, args, { action: 'member.role' });
    return this.view(caller.tenantId, member);
  }

  /** Removal by a room admin, or leaving. The last admin's leaving promotes the oldest member. */
  async remove(caller: Caller, roomId: string, userId: string): Promise<void> {
    const args = { p_user: memberId(userId), ...asAdmin(caller, roomId) };
    await this.changes.make(caller, memberRemove, args, { action: 'member.remove' });
  }

  private async view(tenantId: string, row: MemberRow): Promise<MemberDto> {
    const [view] = await this.views(tenantId, [row]);
    if (!view) throw notFound('Member');
    return view;
  }

  private async views(tenantId: string, rows: readonly MemberRow[]): Promise<MemberDto[]> {
    const ids = rows.map((row) => row.user_id);
    const [seen, online, areAgentsOnline] = await Promise.all([
      this.users.lastSeen(tenantId, ids),
      this.presence.online(tenantId, ids),
      rows.some(({ role }) => role === 'agent') && this.agents.canAnswer(tenantId),
    ]);
    return rows.map((row) => ({
      user_id: row.user_id,
      role: row.role,
      joined_at: isoTime(row.joined_at),
      status: (row.role === 'agent' ? areAgentsOnline : online.has(row.user_id)) ? 'online' : 'offline',
      last_seen_at: seen.get(row.user_id)?.toISOString() ?? null,
    }));
  }
}

function asAdmin(caller: Caller, roomId: string): { readonly p_room: string; readonly p_actor: string } {
  return { p_room: roomUuid(roomId), p_actor: caller.userId };
}

/** A malformed user id is a member that does not exist. */
function memberId(userId: string): string {
  if (userIdFault(userId) !== undefined) throw notFound('Member');
  return userId;
}
