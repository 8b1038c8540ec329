import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/pagination';
import type { Scope, TenantLimits, TenantSettings } from '../../platform/auth';
import { Database, SystemDatabase } from '../../platform/database';

export interface KeyRow {
  readonly key_id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: Scope[];
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
}

export interface NewKeyRow {
  readonly keyId: string;
  readonly name: string;
  readonly prefix: string;
  readonly hash: Buffer;
  readonly scopes: readonly Scope[];
}

/** A live key with its tenant, as the verifier needs it. */
export interface LiveKeyRow {
  readonly tenant_id: string;
  readonly key_id: string;
  readonly hash: Buffer;
  readonly scopes: Scope[];
  readonly expires_at: Date | null;
  readonly status: 'active' | 'suspended';
  readonly settings: TenantSettings;
  readonly limits: TenantLimits;
}

const COLUMNS = 'key_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at';
const LIVE = `SELECT k.tenant_id, k.key_id, k.hash, k.scopes, k.expires_at, t.status, t.settings, t.limits
  FROM api_keys k JOIN tenants t USING (tenant_id)
  WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())`;

@Injectable()
export class KeysRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  async liveByHash(hash: Buffer): Promise<LiveKeyRow | undefined> {
    const rows = await this.system.query<LiveKeyRow>('find key', `${LIVE} AND k.hash = $1`, [hash]);
    return rows[0];
  }

  /** Those of many that live, in any order. */
  async liveByHashes(hashes: readonly Buffer[]): Promise<LiveKeyRow[]> {
    return this.system.query<LiveKeyRow>('find keys', `${LIVE} AND k.hash = ANY ($1::bytea[])`, [hashes]);
  }

  async liveById(tenantId: string, keyId: string): Promise<LiveKeyRow | undefined> {
    const rows = await this.system.query<LiveKeyRow>(
      'find key by id',
      `${LIVE} AND k.tenant_id = $1 AND k.key_id = $2`,
      [tenantId, keyId],
    );
    return rows[0];
  }

  async page(tenantId: string, page: PageRequest): Promise<{ rows: KeyRow[]; total: number }> {
    const rows = await this.database.query<KeyRow & { total: number }>(
      'list keys',
      tenantId,
      `SELECT ${COLUMNS} FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, key_id LIMIT $2 OFFSET $3`,
      [tenantId, page.limit, page.offset],
    );
    const [count] = await this.database.query<{ n: number }>(
      'count keys',
      tenantId,
      'SELECT count(*) AS n FROM api_keys WHERE tenant_id = $1',
      [tenantId],
    );
    return { rows, total: count?.n ?? 0 };
  }

  async create(tenantId: string, key: NewKeyRow, expiresAt: Date | null): Promise<KeyRow> {
    const rows = await this.database.query<KeyRow>(
      'create key',
      tenantId,
      `INSERT INTO api_keys (tenant_id, key_id, name, prefix, hash, scopes, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
      [tenantId, key.keyId, key.name, key.prefix, key.hash, key.scopes, expiresAt],
    );
    return one(rows);
  }

  /**
   * Adds a successor with the same name, scopes and expiry, and lets the old key end after the overlap (or earlier,
   * where it would have expired anyway). undefined: there is no such live key.
   */
  async rotate(
    tenantId: string,
    oldKeyId: string,
    next: Omit<NewKeyRow, 'name' | 'scopes'>,
    overlapSeconds: number,
  ): Promise<KeyRow | undefined> {
    const rows = await this.database.query<KeyRow>(
      'rotate key',
      tenantId,
      `WITH old AS (
         UPDATE api_keys k SET updated_at = clock_timestamp(),
           expires_at = LEAST(k.expires_at, clock_timestamp() + make_interval(secs => $6))
         FROM api_keys before
         WHERE k.tenant_id = $1 AND k.key_id = $2 AND k.revoked_at IS NULL
           AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
           AND before.tenant_id = k.tenant_id AND before.key_id = k.key_id
         RETURNING k.name, k.scopes, before.expires_at)
       INSERT INTO api_keys (tenant_id, key_id, name, prefix, hash, scopes, expires_at)
       SELECT $1, $3, old.name, $4, $5, old.scopes, old.expires_at FROM old RETURNING ${COLUMNS}`,
      [tenantId, oldKeyId, next.keyId, next.prefix, next.hash, overlapSeconds],
    );
    return rows[0];
  }

  /** false: there is no such key. Revoking twice changes nothing. */
  async revoke(tenantId: string, keyId: string): Promise<boolean> {
    const rows = await this.database.query(
      'revoke key',
      tenantId,
      `UPDATE api_keys SET revoked_at = COALESCE(revoked_at, clock_timestamp()), updated_at = clock_timestamp()
       WHERE tenant_id = $1 AND key_id = $2 RETURNING key_id`,
      [tenantId, keyId],
    );
    return rows.length > 0;
  }

  /** Writes when keys were last used; the times only move forward. */
  async touch(uses: readonly { tenantId: string; keyId: string; at: Date }[]): Promise<void> {
    await this.system.query(
      'touch keys',
      `UPDATE api_keys k SET last_used_at = GREATEST(k.last_used_at, u.at)
       FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) u(tenant_id, key_id, at)
       WHERE k.tenant_id = u.tenant_id AND k.key_id = u.key_id`,
      [uses.map((u) => u.tenantId), uses.map((u) => u.keyId), uses.map((u) => u.at)],
    );
  }
}

function one(rows: KeyRow[]): KeyRow {
  const row = rows[0];
  if (!row) throw new Error('INSERT … RETURNING gave no row');
  return row;
}
