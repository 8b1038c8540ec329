import { Injectable } from '@nestjs/common';
import type { TenantLimits, TenantSettings } from '../../platform/auth';
import { Database, schemaFunction, SystemDatabase, value } from '../../platform/database';
import type { PageRequest } from '../../common/pagination';
import type { NewKeyRow } from './keys.repository';
import { type NewWebhook, WebhooksRepository } from './webhook/webhooks.repository';

const usersEnsure = schemaFunction('users_ensure', { p_users: 'text[]' }, value<unknown>('void'));

export interface TenantRow {
  readonly tenant_id: string;
  readonly name: string;
  readonly status: 'active' | 'suspended';
  readonly settings: TenantSettings;
  /** As set; null where there is none. */
  readonly webhook: { readonly url: string; readonly events: string[] } | null;
  readonly limits: TenantLimits;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface NewTenantRow {
  readonly tenantId: string;
  readonly name: string;
  readonly settings: object;
  readonly limits: object;
  readonly webhook?: NewWebhook | undefined;
}

export interface TenantChanges {
  readonly name: string | null;
  readonly status: string | null;
  /** Keys to set. */
  readonly settings: object;
  readonly limits: object;
  /** Keys to take back to their default. */
  readonly clearedSettings: readonly string[];
  readonly clearedLimits: readonly string[];
  /** To set; null takes it away; undefined leaves it. */
  readonly webhook: NewWebhook | null | undefined;
}

const COLUMNS = `tenant_id, name, status, settings, limits, created_at, updated_at, (
  SELECT json_build_object('url', w.url, 'events', w.events) FROM webhooks w
  WHERE w.tenant_id = tenants.tenant_id AND w.url IS NOT NULL) AS webhook`;

@Injectable()
export class TenantsRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly webhooks: WebhooksRepository,
  ) {}

  /** Stores a tenant and its first key together. */
  async create(tenant: NewTenantRow, key: NewKeyRow): Promise<TenantRow> {
    return this.insert(tenant, key, '');
  }

  /** The same for a tenant that may be there already: it keeps its row and gets the key. */
  async seed(tenant: NewTenantRow, key: NewKeyRow): Promise<void> {
    await this.insert(tenant, key, 'ON CONFLICT (tenant_id) DO UPDATE SET updated_at = clock_timestamp()');
  }

  private insert(tenant: NewTenantRow, key: NewKeyRow, onConflict: string): Promise<TenantRow> {
    return this.system.transaction('create tenant', async (sql) => {
      const [row] = await sql.query<TenantRow>(
        `INSERT INTO tenants (tenant_id, name, settings, limits) VALUES ($1, $2, $3, $4) ${onConflict} RETURNING ${COLUMNS}`,
        [tenant.tenantId, tenant.name, JSON.stringify(tenant.settings), JSON.stringify(tenant.limits)],
      );
      await sql.query(
        `INSERT INTO api_keys (tenant_id, key_id, name, prefix, hash, scopes) VALUES ($1, $2, $3, $4, $5, $6)`,
        [tenant.tenantId, key.keyId, key.name, key.prefix, key.hash, key.scopes],
      );
      if (!row) throw new Error('INSERT … RETURNING gave no row');
      if (tenant.webhook !== undefined) await this.webhooks.insert(sql, tenant.tenantId, tenant.webhook);
      return row;
    });
  }

  async find(tenantId: string): Promise<TenantRow | undefined> {
    const rows = await this.database.query<TenantRow>(
      'get tenant',
      tenantId,
      `SELECT ${COLUMNS} FROM tenants WHERE tenant_id = $1`,
      [tenantId],
    );
    return rows[0];
  }

  async page(page: PageRequest): Promise<{ rows: TenantRow[]; total: number }> {
    const rows = await this.system.query<TenantRow>(
      'list tenants',
      `SELECT ${COLUMNS} FROM tenants ORDER BY created_at, tenant_id LIMIT $1 OFFSET $2`,
      [page.limit, page.offset],
    );
    const [count] = await this.system.query<{ n: number }>('count tenants', 'SELECT count(*) AS n FROM tenants');
    return { rows, total: count?.n ?? 0 };
  }

  /** In the order of the ids, at most 1,000. */
  async idsAfter(tenantId: string): Promise<string[]> {
    const rows = await this.system.query<{ tenant_id: string }>(
      'ids of tenants',
      'SELECT tenant_id FROM tenants WHERE tenant_id > $1 ORDER BY tenant_id LIMIT 1000',
      [tenantId],
    );
    return rows.map(({ tenant_id }) => tenant_id);
  }

  /** undefined: there is no such tenant. `isNewWebhook`: its URL is a new one, and the given secret in force. */
  update(tenantId: string, changes: TenantChanges): Promise<{ row: TenantRow | undefined; isNewWebhook: boolean }> {
    return this.database.transaction('update tenant', tenantId, async (sql) => {
      let isNewWebhook = false;
      if (changes.webhook === null) await this.webhooks.clear(sql, tenantId);
      else if (changes.webhook !== undefined) isNewWebhook = await this.webhooks.set(sql, tenantId, changes.webhook);
      const rows = await sql.query<TenantRow>(
        `UPDATE tenants SET name = COALESCE($2, name), status = COALESCE($3, status),
           settings = (settings - $4::text[]) || $5, limits = (limits - $6::text[]) || $7,
           updated_at = clock_timestamp()
         WHERE tenant_id = $1 RETURNING ${COLUMNS}`,
        [
          tenantId,
          changes.name,
          changes.status,
          changes.clearedSettings,
          JSON.stringify(changes.settings),
          changes.clearedLimits,
          JSON.stringify(changes.limits),
        ],
      );
      return { row: rows[0], isNewWebhook };
    });
  }

  /** Makes the users that do not exist yet. */
  async ensureUsers(tenantId: string, userIds: readonly string[]): Promise<void> {
    await usersEnsure.call(this.database, tenantId, { p_users: userIds });
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

  /** Stores when users of any tenants were last connected, each so long ago; no user's time moves backwards. */
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
