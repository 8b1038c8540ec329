import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../platform/database';
import type { LastSeenStore } from '../../realtime';
import { usersEnsure } from './tenants.functions';
import { type ListedUser, TenantsRepository } from './tenants.repository';

/** The users of a tenant, as other modules need them. */
@Injectable()
export class UsersService implements LastSeenStore {
  constructor(private readonly repository: TenantsRepository) {}

  /** Makes the users that do not exist yet. */
  ensure(tenantId: string, userIds: readonly string[]): Promise<void> {
    return this.repository.ensureUsers(tenantId, userIds);
  }

  /** The same as a part of what is stored of them. */
  async ensureIn(tx: Transaction, tenantId: string, userIds: readonly string[]): Promise<void> {
    await usersEnsure.callIn(tx, tenantId, { p_users: userIds });
  }

  /** Users whose ids begin so, in the order of the ids. @param after the last one before; undefined: from the beginning */
  list(tenantId: string, prefix: string, after: string | undefined, limit: number): Promise<ListedUser[]> {
    return this.repository.usersAfter(tenantId, prefix, after ?? '', limit);
  }

  /** undefined: there is no such user. */
  find(tenantId: string, userId: string): Promise<ListedUser | undefined> {
    return this.repository.user(tenantId, userId);
  }

  /** All users in turn, by pages; the next one is asked for with the last id of the page before. */
  idsAfter(tenantId: string, after: string, limit: number): Promise<string[]> {
    return this.repository.userIdsAfter(tenantId, after, limit);
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
