import { Injectable } from '@nestjs/common';
import { type Connection, Presence } from '../../../realtime';
import { UsersService } from '../../tenants';

/**
 * Tells which connection is the first that its user ever opens. A connection of /ws leaves its mark by presence: a lease
 * while it is open, `last_seen_at` afterwards; one of /ws/chat leaves `first_socket_at`.
 */
@Injectable()
export class Arrivals {
  constructor(
    private readonly users: UsersService,
    private readonly presence: Presence,
  ) {}

  /** True once per user. */
  async isFirst({ tenantId, userId }: Connection): Promise<boolean> {
    if (!(await this.users.isFirstSocket(tenantId, userId))) return false;
    return !(await this.presence.online(tenantId, [userId])).has(userId);
  }
}
