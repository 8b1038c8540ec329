import { Injectable } from '@nestjs/common';
import { Presence } from '../../../realtime';
import { MemberFacts } from '../../delivery';
import type { ListedMember } from '../../rooms';
import { UsersService } from '../../tenants';
import type { AdminMemberDto } from '../dto/console.dto';
import { placeView } from './views';

/** Members of a room as administrators see them. */
@Injectable()
export class AdminMembers {
  constructor(
    private readonly facts: MemberFacts,
    private readonly users: UsersService,
    private readonly presence: Presence,
  ) {}

  /** @param roomId UUID */
  async views(tenantId: string, roomId: string, members: readonly ListedMember[]): Promise<AdminMemberDto[]> {
    const ids = members.map(({ user_id }) => user_id);
    const [cursors, seen, online] = await Promise.all([
      this.facts.cursorsIn(tenantId, roomId, ids),
      this.users.lastSeen(tenantId, ids),
      this.presence.online(tenantId, ids),
    ]);
    return members.map((member) => {
      const { user_id } = member;
      const cursor = cursors.get(user_id);
      return {
        user_id,
        ...placeView(member, cursor),
        moved_at: cursor?.movedAt.toISOString() ?? null,
        status: online.has(user_id) ? 'online' : 'offline',
        last_seen_at: seen.get(user_id)?.toISOString() ?? null,
      };
    });
  }
}
