import { Injectable } from '@nestjs/common';
import { In, IsNull, Raw } from 'typeorm';
import type { PageRequest } from '../../common/limits';
import { Database, SystemDatabase, type Transaction } from '../../platform/database';
import { ApiKeyEntity } from './entities/api-key.entity';
import type { TenantEntity } from './entities/tenant.entity';

/** What is shown of a key. */
const SHOWN = {
  key_id: true,
  name: true,
  prefix: true,
  scopes: true,
  created_at: true,
  expires_at: true,
  last_used_at: true,
  revoked_at: true,
} as const;

export type KeyRow = Readonly<Pick<ApiKeyEntity, keyof typeof SHOWN>>;
/** A key before and after a change. */
export interface KeyChange {
  readonly before: KeyRow;
  readonly after: KeyRow;
}

export type NewKeyRow = Readonly<Pick<ApiKeyEntity, 'key_id' | 'name' | 'prefix' | 'hash' | 'scopes'>>;

/** A live key with its tenant, as the verifier needs it. */
export type LiveKeyRow = Readonly<
  Pick<ApiKeyEntity, 'tenant_id' | 'key_id' | 'hash' | 'scopes' | 'expires_at'> &
    Pick<TenantEntity, 'status' | 'settings' | 'limits'>
>;

const LIVE = `SELECT k.tenant_id, k.key_id, k.hash, k.scopes, k.expires_at, t.status, t.settings, t.limits
  FROM api_keys k JOIN tenants t USING (tenant_id)
  WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())`;

const UNUSED = { last_used_at: null, revoked_at: null };
const ALIVE = [
  { revoked_at: IsNull(), expires_at: IsNull() },
  { revoked_at: IsNull(), expires_at: Raw((column) => `${column} > clock_timestamp()`) },
];

/** The keys' table. What every request asks (which key is this?) and what is written of many at once is SQL. */
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

  /** The live keys of these hashes, in any order. */
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

  async page(tenantId: string, { limit, offset }: PageRequest): Promise<{ rows: KeyRow[]; total: number }> {
    const keys = this.database.repository(ApiKeyEntity, tenantId);
    const where = { tenant_id: tenantId };
    const order = { created_at: 'ASC', key_id: 'ASC' } as const;
    const rows = await keys.find({ select: SHOWN, where, order, take: limit, skip: offset });
    return { rows, total: await keys.countBy(where) };
  }

  /** Of some keys, with those that are revoked. */
  named(
    tenantId: string,
    keyIds: readonly string[],
  ): Promise<Readonly<Pick<ApiKeyEntity, 'key_id' | 'name' | 'prefix'>>[]> {
    return this.database.repository(ApiKeyEntity, tenantId).find({
      select: { key_id: true, name: true, prefix: true },
      where: { tenant_id: tenantId, key_id: In(keyIds) },
    });
  }

  async create(tx: Transaction, tenantId: string, key: NewKeyRow, expiresAt: Date | null): Promise<KeyRow> {
    const row = Object.assign(new ApiKeyEntity(), UNUSED, key, { tenant_id: tenantId, expires_at: expiresAt });
    await tx.repository(ApiKeyEntity).insert(row);
    return row;
  }

  /**
   * Adds a successor with the same name, scopes and expiry, and lets the old key end after the overlap (or earlier,
   * where it would have expired anyway). undefined: there is no such live key.
   */
  async rotate(
    tx: Transaction,
    tenantId: string,
    oldKeyId: string,
    next: Omit<NewKeyRow, 'name' | 'scopes'>,
    overlapSeconds: number,
  ): Promise<(KeyChange & { readonly next: KeyRow }) | undefined> {
    const key = { tenant_id: tenantId, key_id: oldKeyId };
    const keys = tx.repository(ApiKeyEntity);
    const before = await keys.findOne({
      where: ALIVE.map((alive) => ({ ...key, ...alive })),
      lock: { mode: 'for_no_key_update' },
    });
    if (before === null) return undefined;
    await keys
      .createQueryBuilder()
      .update()
      .set({
        updated_at: () => 'clock_timestamp()',
        expires_at: () => 'LEAST(expires_at, clock_timestamp() + make_interval(secs => :overlap))',
      })
      .where(key)
      .setParameter('overlap', overlapSeconds)
      .execute();
    const { name, scopes, expires_at } = before;
    const row = Object.assign(new ApiKeyEntity(), UNUSED, next, { tenant_id: tenantId, name, scopes, expires_at });
    await keys.insert(row);
    return { before, after: await keys.findOneByOrFail(key), next: row };
  }

  /** undefined: there is no such key. Revoking twice changes nothing. */
  async revoke(tx: Transaction, tenantId: string, keyId: string): Promise<KeyChange | undefined> {
    const key = { tenant_id: tenantId, key_id: keyId };
    const keys = tx.repository(ApiKeyEntity);
    const before = await keys.findOne({ where: key, lock: { mode: 'for_no_key_update' } });
    if (before === null) return undefined;
    const revoked_at = (): string => 'COALESCE(revoked_at, clock_timestamp())';
    await keys.update(key, { revoked_at, updated_at: () => 'clock_timestamp()' });
    return { before, after: await keys.findOneByOrFail(key) };
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
