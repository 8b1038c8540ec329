import { Injectable } from '@nestjs/common';
import type { LastSeenStore } from '../../realtime';
import { TenantsRepository } from './tenants.repository';

/** The users of a tenant, as other modules need them. */
@Injectable()
export class UsersService implements LastSeenStore {
  constructor(private readonly repository: TenantsRepository) {}

  /** Makes the users that do not exist yet. */
  ensure(tenantId: string, userIds: readonly string[]): Promise<void> {
    return this.repository.ensureUsers(tenantId, userIds);
  }

  exists(tenantId: string, userId: string): Promise<boolean> {
    return this.repository.hasUser(tenantId, userId);
  }

  /** When each of these users was last connected; missing or null = never. */
  lastSeen(tenantId: string, userIds: readonly string[]): Promise<Map<string, Date | null>> {
    return userIds.length === 0
      ? Promise.resolve(new Map<string, Date | null>())
      : this.repository.lastSeen(tenantId, userIds);
  }

  /** Whether the user opens a socket of a chat for the first time and was never seen on /ws before; true once. */
  isFirstSocket(tenantId: string, userId: string): Promise<boolean> {
    return this.repository.noteFirstSocket(tenantId, userId);
  }

  /** Stores when users of any tenants were last connected. */
  write(seen: Parameters<LastSeenStore['write']>[0]): Promise<void> {
    return this.repository.noteSeen(seen);
  }
}
