import { Injectable } from '@nestjs/common';
import { notFound } from '../../common/errors';
import type { PageRequest } from '../../common/pagination';
import { userIdFault } from '../../common/text';
import { isoTime } from '../../common/time';
import type { Caller } from '../../platform/auth';
import { type EffectResult, Effects } from '../../platform/idempotency';
import { changing, Presence, RoomFeed } from '../../platform/realtime';
import { UsersService } from '../tenants';
import { roomUuid, visible } from './access';
import type { AddMembersDto, MemberDto } from './dto/member.dto';
import { accepted } from './room-refusals';
import { type MemberRow, RoomsRepository } from './rooms.repository';

/** Who is in a room. */
@Injectable()
export class MembersService {
  constructor(
    private readonly repository: RoomsRepository,
    private readonly effects: Effects,
    private readonly users: UsersService,
    private readonly presence: Presence,
    private readonly feed: RoomFeed,
  ) {}

  /** Members in the order of joining. */
  async list(caller: Caller, roomId: string, page: PageRequest): Promise<{ items: MemberDto[]; total: number }> {
    const found = visible(await this.repository.members(caller.tenantId, roomUuid(roomId), caller.userId, page));
    return { items: await this.views(caller.tenantId, found.rows), total: found.total };
  }

  /** Adds users (room admins); answers with those that were named, in the order of joining. */
  async add(caller: Caller, roomId: string, input: AddMembersDto): Promise<MemberDto[]> {
    const users = [...new Set(input.user_ids)];
    const { members } = await this.change<EffectResult & { members: MemberRow[] }>(
      caller,
      'members_add',
      roomId,
      [users, input.role ?? 'member'],
      users,
    );
    return this.views(caller.tenantId, members);
  }

  /** Joins a channel; joining again changes nothing. */
  async join(caller: Caller, roomId: string): Promise<MemberDto> {
    return this.member(caller, 'room_join', roomId, [], [caller.userId]);
  }

  /** Room admins; a room keeps at least one admin (409). */
  async setRole(caller: Caller, roomId: string, userId: string, role: string): Promise<MemberDto> {
    return this.member(caller, 'member_set_role', roomId, [memberId(userId), role]);
  }

  /** Removal by a room admin, or leaving. The last admin's leaving promotes the oldest member. */
  async remove(caller: Caller, roomId: string, userId: string): Promise<void> {
    await this.change(caller, 'member_remove', roomId, [memberId(userId)]);
  }

  private async member(
    caller: Caller,
    fn: string,
    roomId: string,
    values: readonly unknown[],
    joined: readonly string[] = [],
  ): Promise<MemberDto> {
    const result = await this.change<EffectResult & { member: MemberRow }>(caller, fn, roomId, values, joined);
    const [view] = await this.views(caller.tenantId, [result.member]);
    if (!view) throw notFound('Member');
    return view;
  }

  private async change<R extends EffectResult>(
    caller: Caller,
    fn: string,
    roomId: string,
    values: readonly unknown[],
    joined: readonly string[] = [],
  ): Promise<R> {
    const room = { tenantId: caller.tenantId, roomId: roomUuid(roomId), joined };
    const result = await changing(this.feed, room, () =>
      this.effects.call<R>(caller, fn, [room.tenantId, room.roomId, caller.userId, ...values]),
    );
    const done = accepted(result);
    this.feed.touch(room.tenantId, room.roomId, joined);
    return done;
  }

  private async views(tenantId: string, rows: readonly MemberRow[]): Promise<MemberDto[]> {
    const ids = rows.map((row) => row.user_id);
    const [seen, online] = await Promise.all([this.users.lastSeen(tenantId, ids), this.presence.online(tenantId, ids)]);
    return rows.map((row) => ({
      user_id: row.user_id,
      role: row.role,
      joined_at: isoTime(row.joined_at),
      status: online.has(row.user_id) ? 'online' : 'offline',
      last_seen_at: seen.get(row.user_id)?.toISOString() ?? null,
    }));
  }
}

/** A malformed user id is a member that does not exist. */
function memberId(userId: string): string {
  if (userIdFault(userId) !== undefined) throw notFound('Member');
  return userId;
}
