import { Injectable } from '@nestjs/common';
import { notFound } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import { TenantCredentialVerifier, WebhookSettings } from '../../tenants';
import { tenantDeletionBegin } from './deletion.functions';
import type { DeletionBegunDto, DeletionDto } from './deletion.dto';
import { DeletionsRepository } from './deletions.repository';

/** Begins deletions of tenants, and shows how far they are. */
@Injectable()
export class DeletionService {
  constructor(
    private readonly repository: DeletionsRepository,
    private readonly effects: Effects,
    private readonly verifier: TenantCredentialVerifier,
    private readonly webhooks: WebhookSettings,
  ) {}

  /** Refuses the tenant's calls from now on: here at once, on other servers within 2 s. @throws 400, 404, 409 */
  async begin(caller: Caller, tenant: string, confirm: string): Promise<DeletionBegunDto> {
    const { deletion_id, state } = await this.effects.call(
      caller,
      tenantDeletionBegin,
      {
        p_deletion: newUuid(),
        p_confirm: confirm,
        p_request: caller.requestId,
        p_address: caller.audit?.address,
      },
      { tenantId: uuidOf(tenant), audit: { action: 'tenant.delete', target: tenant } },
    );
    this.verifier.forget();
    await this.webhooks.changed();
    return { deletion_id: encodeId('deletion', deletion_id), state };
  }

  /** @throws 404 */
  async find(tenant: string): Promise<DeletionDto> {
    const row = await this.repository.find(uuidOf(tenant));
    if (row === undefined) throw notFound('Deletion');
    return {
      deletion_id: encodeId('deletion', row.deletion_id),
      state: row.state,
      deleted: { ...row.deleted },
      error: row.error,
      started_at: row.started_at.toISOString(),
      finished_at: row.finished_at?.toISOString() ?? null,
    };
  }
}

function uuidOf(tenant: string): string {
  const id = decodeId('tenant', tenant);
  if (id === undefined) throw notFound('Tenant');
  return id;
}
