import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import type { PageRequest } from '../../common/limits';
import { Database, SystemDatabase, type Transaction } from '../../platform/database';
import { ApiKeyEntity } from './entities/api-key.entity';
import { TenantCountsEntity, TenantEntity, UserEntity } from './entities/tenant.entity';
import type { NewKeyRow } from './keys.repository';
import { beingDeleted, usersEnsure } from './tenants.functions';
import { type NewWebhook, type WebhookChange, WebhookRows, type WebhookSetting } from './webhook-settings';

export type TenantRow = Readonly<TenantEntity> & {
  /** As set; null where there is none. */
  readonly webhook: WebhookSetting | null;
};

export type NewTenantRow = Readonly<Pick<TenantEntity, 'tenant_id' | 'name' | 'settings' | 'limits'>>;

export interface TenantChanges {
  readonly name: string | undefined;
  readonly status: TenantEntity['status'] | undefined;
  /** Keys to set. */
  readonly settings: object;
  readonly limits: object;
  /** Keys to take back to their default. */
  readonly clearedSettings: readonly string[];
  readonly clearedLimits: readonly string[];
  /** To set; null takes it away; undefined leaves it. */
  readonly webhook: NewWebhook | null | undefined;
}

/** A user as administrators see them. */
export type ListedUser = Readonly<Pick<UserEntity, 'user_id' | 'created_at' | 'last_seen_at' | 'legal_hold'>>;

/** A tenant before and after a change. */
export interface TenantChange {
  readonly before: TenantRow;
  readonly after: TenantRow;
  readonly set: WebhookChange;
}

/**
 * The tenants' and the users' tables. What is written or read of many users at once, for sockets and rooms, is SQL.
 */
@Injectable()
export class TenantsRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly webhooks: WebhookRows,
  ) {}

  /** Ids of the tenant's users in their order, at most `limit`. @param after the last one before; '' for the first page */
  async userIdsAfter(tenantId: string, after: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ user_id: string }>(
      'users of a tenant',
      tenantId,
      'SELECT user_id FROM users WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3',
      [tenantId, after, limit],
    );
    return rows.map((row) => row.user_id);
  }

  /** Stores a tenant and its first key together. @param written called last, in the transaction */
  create(
    tenant: NewTenantRow,
    key: NewKeyRow,
    webhook: NewWebhook | undefined,
    written: (tx: Transaction) => Promise<void>,
  ): Promise<Readonly<TenantEntity>> {
    return this.system.transaction('create tenant', async (tx) => {
      const row = Object.assign(new TenantEntity(), tenant);
      await tx.repository(TenantEntity).insert(row);
      await addKey(tx, tenant.tenant_id, key);
      if (webhook !== undefined) await this.webhooks.insert(tx, tenant.tenant_id, webhook);
      await written(tx);
      return row;
    });
  }

  /** The same for a tenant that may be there already: it keeps its row and gets the key. */
  async seed(tenant: NewTenantRow, key: NewKeyRow): Promise<void> {
    await this.system.transaction('seed tenant', async (tx) => {
      const insert = tx.repository(TenantEntity).createQueryBuilder().insert().values(tenant);
      await insert.orIgnore().updateEntity(false).execute();
      await addKey(tx, tenant.tenant_id, key);
    });
  }

  /** undefined: there is no such tenant. */
  async stateOf(tenantId: string): Promise<Pick<TenantEntity, 'deleting_since'> | undefined> {
    const tenants = this.database.repository(TenantEntity, tenantId);
    const select = { tenant_id: true, deleting_since: true } as const;
    return (await tenants.findOne({ select, where: { tenant_id: tenantId } })) ?? undefined;
  }

  async find(tenantId: string): Promise<TenantRow | undefined> {
    const tenant = await this.database.repository(TenantEntity, tenantId).findOneBy({ tenant_id: tenantId });
    return tenant === null ? undefined : { ...tenant, webhook: await this.webhooks.settingOf(tenantId) };
  }

  async page({ limit, offset }: PageRequest): Promise<{ rows: TenantRow[]; total: number }> {
    const tenants = this.system.repository(TenantEntity);
    const page = await tenants.find({ order: { created_at: 'ASC', tenant_id: 'ASC' }, take: limit, skip: offset });
    const webhooks = await this.webhooks.settingsOf(page.map(({ tenant_id }) => tenant_id));
    const rows = page.map((tenant) => ({ ...tenant, webhook: webhooks.get(tenant.tenant_id) ?? null }));
    return { rows, total: await tenants.countBy({}) };
  }

  /** Users and rooms; counted as they come and go. */
  async counts(tenantId: string): Promise<Pick<TenantCountsEntity, 'users' | 'rooms'>> {
    const row = await this.database.repository(TenantCountsEntity, tenantId).findOneBy({ tenant_id: tenantId });
    return row ?? { users: 0, rooms: 0 };
  }

  /** In the order of the ids, at most 1,000. */
  async idsAfter(tenantId: string): Promise<string[]> {
    const rows = await this.system.repository(TenantEntity).find({
      select: { tenant_id: true },
      where: { tenant_id: MoreThan(tenantId) },
      order: { tenant_id: 'ASC' },
      take: 1000,
    });
    return rows.map(({ tenant_id }) => tenant_id);
  }

  /** undefined: there is no such tenant. Throws 409 for one that is being deleted. */
  async update(tx: Transaction, tenantId: string, changes: TenantChanges): Promise<TenantChange | undefined> {
    const key = { tenant_id: tenantId };
    const tenants = tx.repository(TenantEntity);
    const found = await tenants.findOne({ where: key, lock: { mode: 'for_no_key_update' } });
    if (found === null) return undefined;
    if (found.deleting_since !== null) throw beingDeleted();
    const before = { ...found, webhook: await this.webhooks.settingOf(tenantId, tx) };
    let set: WebhookChange = 'same';
    if (changes.webhook === null) await this.webhooks.clear(tx, tenantId);
    else if (changes.webhook !== undefined) set = await this.webhooks.set(tx, tenantId, changes.webhook);
    await tenants.update(key, {
      name: changes.name ?? before.name,
      status: changes.status ?? before.status,
      settings: merged(before.settings, changes.settings, changes.clearedSettings),
      limits: merged(before.limits, changes.limits, changes.clearedLimits),
      updated_at: () => 'clock_timestamp()',
    });
    const after = await tenants.findOneByOrFail(key);
    return { before, after: { ...after, webhook: await this.webhooks.settingOf(tenantId, tx) }, set };
  }

  /** Makes the users that do not exist yet. */
  async ensureUsers(tenantId: string, userIds: readonly string[]): Promise<void> {
    await usersEnsure.call(this.database, tenantId, { p_users: userIds });
  }

  hasUser(tenantId: string, userId: string): Promise<boolean> {
    return this.database.repository(UserEntity, tenantId).existsBy({ tenant_id: tenantId, user_id: userId });
  }

  /** When each of these users was last connected; missing or null = never. */
  async lastSeen(tenantId: string, userIds: readonly string[]): Promise<Map<string, Date | null>> {
    const rows = await this.database.query<{ user_id: string; last_seen_at: Date | null }>(
      'last seen',
      tenantId,
      'SELECT user_id, last_seen_at FROM users WHERE tenant_id = $1 AND user_id = ANY ($2)',
      [tenantId, userIds],
    );
    return new Map(rows.map((row) => [row.user_id, row.last_seen_at]));
  }

  /**
   * Users whose ids begin so, in the order of the ids. @param after the last one before; both may be empty
   */
  usersAfter(tenantId: string, prefix: string, after: string, limit: number): Promise<ListedUser[]> {
    // Ids are printable ASCII: whatever begins with the prefix stands before the prefix and this character.
    const end = `${prefix}\u007f`;
    return this.database.query<ListedUser>(
      'users of a tenant',
      tenantId,
      `SELECT user_id, created_at, last_seen_at, legal_hold FROM users
       WHERE tenant_id = $1 AND user_id >= $2 AND user_id > $3 AND user_id < $4 ORDER BY user_id LIMIT $5`,
      [tenantId, prefix, after, end, limit],
    );
  }

  async user(tenantId: string, userId: string): Promise<ListedUser | undefined> {
    const rows = await this.database.query<ListedUser>(
      'user of a tenant',
      tenantId,
      'SELECT user_id, created_at, last_seen_at, legal_hold FROM users WHERE tenant_id = $1 AND user_id = $2',
      [tenantId, userId],
    );
    return rows[0];
  }

  /** Marks the user, once; true where this was the call that did and nothing tells of an earlier socket. */
  async noteFirstSocket(tenantId: string, userId: string): Promise<boolean> {
    const rows = await this.database.query<{ is_first: boolean }>(
      'note first socket',
      tenantId,
      `UPDATE users SET first_socket_at = statement_timestamp()
       WHERE tenant_id = $1 AND user_id = $2 AND first_socket_at IS NULL RETURNING last_seen_at IS NULL AS is_first`,
      [tenantId, userId],
    );
    return rows[0]?.is_first ?? false;
  }

  /** Stores when users of any tenants were last connected, each so long ago; no user's time moves backwards. */
  async noteSeen(seen: readonly { tenantId: string; userId: string; agoMs: number }[]): Promise<void> {
    await this.system.query(
      'note last seen',
      `UPDATE users u SET last_seen_at = s.at
       FROM (SELECT tenant_id, user_id, statement_timestamp() - ago * interval '1 ms' AS at
         FROM unnest($1::uuid[], $2::text[], $3::bigint[]) s(tenant_id, user_id, ago)) s
       WHERE u.tenant_id = s.tenant_id AND u.user_id = s.user_id
         AND (u.last_seen_at IS NULL OR u.last_seen_at < s.at)`,
      [seen.map((s) => s.tenantId), seen.map((s) => s.userId), seen.map((s) => s.agoMs)],
    );
  }
}

async function addKey(tx: Transaction, tenantId: string, key: NewKeyRow): Promise<void> {
  await tx.repository(ApiKeyEntity).insert({ ...key, tenant_id: tenantId });
}

/** With these keys set, and those taken back to their default. */
function merged<T extends object>(before: T, set: object, cleared: readonly string[]): T {
  const kept = Object.entries({ ...before, ...set }).filter(([name]) => !cleared.includes(name));
  return Object.fromEntries(kept) as T;
}

/**
 * Makes transactions of one tenant that count before they insert, or insert what another may insert too, follow one
 * another: what the caller reads afterwards includes what the one before has committed.
 */
export async function lockTenant(tx: Transaction, tenantId: string): Promise<void> {
  await tx.repository(TenantEntity).findOne({
    select: { tenant_id: true },
    where: { tenant_id: tenantId },
    lock: { mode: 'for_no_key_update' },
  });
}

/**
 * Keeps away whoever refers to the tenant by a foreign key, until the transaction's end.
 * @returns its name; undefined: there is none
 */
export async function lockTenantForGood(tx: Transaction, tenantId: string): Promise<string | undefined> {
  const where = { tenant_id: tenantId };
  const found = await tx.repository(TenantEntity).findOne({ where, lock: { mode: 'pessimistic_write' } });
  return found?.name;
}

/** Deletes the tenant's own row, of one that has no other; a transaction of the system role. */
export async function removeTenant(tx: Transaction, tenantId: string): Promise<void> {
  await tx.repository(TenantEntity).delete({ tenant_id: tenantId });
}
