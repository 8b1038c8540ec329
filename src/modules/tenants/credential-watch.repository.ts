import { Injectable } from '@nestjs/common';
import {
  type CredentialChanges,
  CredentialWatch,
  type TenantLimits,
  type TenantPolicy,
  type TenantSettings,
} from '../../platform/auth';
import { SystemDatabase } from '../../platform/database';
import { TenantCredentialVerifier } from './verifier';

/** Longer than any transaction that changes a key: a change is seen although it commits after later ones. */
const OVERLAP_SECONDS = 30;

interface Changed {
  readonly until: Date;
  readonly keys: readonly { tenant_id: string; key_id: string; revoked: boolean; ends_at_ms: number | null }[];
  readonly tenants: readonly {
    tenant_id: string;
    status: TenantPolicy['status'];
    settings: TenantSettings;
    limits: TenantLimits;
  }[];
  readonly gone: readonly string[];
}

const CHANGED = `SELECT now() AS until,
  (SELECT coalesce(json_agg(k), '[]') FROM (
     SELECT tenant_id, key_id, revoked_at IS NOT NULL AS revoked,
       floor(extract(epoch FROM expires_at) * 1000)::float8 AS ends_at_ms
     FROM api_keys WHERE updated_at > since.at AND tenant_id = ANY ($1::uuid[])) k) AS keys,
  (SELECT coalesce(json_agg(t), '[]') FROM (
     SELECT tenant_id, status, settings, limits
     FROM tenants WHERE updated_at > since.at AND tenant_id = ANY ($1::uuid[])) t) AS tenants,
  (SELECT coalesce(json_agg(id), '[]') FROM unnest($1::uuid[]) id
     WHERE NOT EXISTS (SELECT FROM tenants t WHERE t.tenant_id = id)) AS gone
  FROM (SELECT coalesce($2::timestamptz, now()) - make_interval(secs => ${OVERLAP_SECONDS}) AS at) since`;

/** Reads the keys and tenants that changed. Times are the database's, so that nodes need not agree on theirs. */
@Injectable()
export class TenantCredentialWatch extends CredentialWatch {
  private until: Date | undefined;

  constructor(
    private readonly system: SystemDatabase,
    private readonly verifier: TenantCredentialVerifier,
  ) {
    super();
  }

  async readChanges(tenantIds: readonly string[]): Promise<CredentialChanges> {
    const rows = await this.system.query<Changed & Record<string, unknown>>('changed credentials', CHANGED, [
      tenantIds,
      this.until ?? null,
    ]);
    const changed = rows[0];
    if (!changed) throw new Error('SELECT gave no row');
    this.until = changed.until;
    return {
      keys: changed.keys.map((key) => ({
        tenantId: key.tenant_id,
        keyId: key.key_id,
        revoked: key.revoked,
        endsAtMs: key.ends_at_ms ?? undefined,
      })),
      tenants: changed.tenants.map(({ tenant_id, ...rest }) => ({ tenantId: tenant_id, ...rest })),
      gone: changed.gone,
    };
  }

  onOwnChange(handler: () => void): void {
    this.verifier.onForget(handler);
  }
}
