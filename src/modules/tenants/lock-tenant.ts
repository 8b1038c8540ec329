import type { Transaction } from '../../platform/database';
import { TenantEntity } from './entities/tenant.entity';

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
