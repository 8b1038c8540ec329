import { Injectable } from '@nestjs/common';
import { notFound } from '../../../common/errors';
import { userIdFault } from '../../../common/text';
import type { Caller } from '../../../platform/auth';
import { askedPage, pageOf } from '../../../platform/http';
import { Presence } from '../../../realtime';
import { RoomLists } from '../../rooms';
import { type ListedUser, TenantsService, UsersService } from '../../tenants';
import type {
  AdminUserDetailDto,
  AdminUserDto,
  AdminUsersDto,
  AdminUsersQueryDto,
  LookQueryDto,
} from '../dto/console.dto';
import { Looks } from './looks';
import { UserFacts } from './user-facts';

/** Shows the users of a tenant. */
@Injectable()
export class AdminUsersService {
  constructor(
    private readonly users: UsersService,
    private readonly lists: RoomLists,
    private readonly facts: UserFacts,
    private readonly tenants: TenantsService,
    private readonly presence: Presence,
    private readonly looks: Looks,
  ) {}

  async list(caller: Caller, query: AdminUsersQueryDto): Promise<AdminUsersDto> {
    const { limit, after } = askedPage(query, ['text']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const users = await this.users.list(tenantId, query.prefix ?? '', after?.[0], limit + 1);
    const online = await this.presence.online(
      tenantId,
      users.map(({ user_id }) => user_id),
    );
    return pageOf(
      users,
      limit,
      ({ user_id }) => [user_id],
      (user) => userView(user, online),
    );
  }

  /** Throws 404 where the tenant has no such user. */
  async look(caller: Caller, userId: string, query: LookQueryDto): Promise<AdminUserDetailDto> {
    const { limit, after } = askedPage(query, ['uuid']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const user = userIdFault(userId) === undefined ? await this.users.find(tenantId, userId) : undefined;
    if (user === undefined) throw notFound('User');
    const [rooms, online] = await Promise.all([
      this.lists.memberships(tenantId, userId, after?.[0], limit + 1),
      this.presence.online(tenantId, [userId]),
    ]);
    const page = pageOf(
      rooms,
      limit,
      ({ room_id }) => [room_id],
      (room) => room,
    );
    const view = {
      ...userView(user, online),
      memberships: await this.facts.memberships(tenantId, userId, page.items),
      next: page.next,
    };
    if (query.content !== true) {
      this.looks.none(caller);
      return view;
    }
    await this.looks.user(caller, tenantId, userId);
    return { ...view, messages: await this.facts.newest(tenantId, userId) };
  }
}

function userView(
  { user_id, created_at, last_seen_at, legal_hold }: ListedUser,
  online: ReadonlySet<string>,
): AdminUserDto {
  return {
    user_id,
    created_at: created_at.toISOString(),
    last_seen_at: last_seen_at?.toISOString() ?? null,
    status: online.has(user_id) ? 'online' : 'offline',
    legal_hold,
  };
}
