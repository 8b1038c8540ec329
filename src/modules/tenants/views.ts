import { encodeId } from '../../common/ids';
import { LIMIT_DEFAULTS } from '../../platform/auth';
import type { KeyDto } from './dto/key.dto';
import type { TenantDto } from './dto/tenant.dto';
import type { KeyRow } from './keys.repository';
import type { TenantRow } from './tenants.repository';

/** A tenant as the admin API shows it: limits with the defaults filled in. */
export function tenantView(row: TenantRow): TenantDto {
  return {
    tenant_id: encodeId('tenant', row.tenant_id),
    name: row.name,
    status: row.status,
    settings: row.webhook === null ? row.settings : { ...row.settings, webhook: row.webhook },
    limits: { ...LIMIT_DEFAULTS, ...row.limits },
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** A key as lists show it: never the key itself. */
export function keyView(row: KeyRow): KeyDto {
  return {
    key_id: encodeId('key', row.key_id),
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}
