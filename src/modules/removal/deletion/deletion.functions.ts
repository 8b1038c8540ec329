import { AppError, invalid, notFound } from '../../../common/errors';
import { answer, schemaFunction, value } from '../../../platform/database';
import type { TenantDeletionEntity } from '../entities/tenant-deletion.entity';

type State = TenantDeletionEntity['state'];

/** A deletion by the ids of the tenant and its own, UUIDs. */
export interface DeletionRef {
  readonly tenantId: string;
  readonly deletionId: string;
}

/** Begins a deletion, or says which one is under way. */
export const tenantDeletionBegin = schemaFunction(
  'tenant_deletion_begin',
  { p_deletion: 'uuid', p_confirm: 'text', p_request: 'text', p_address: 'text?' },
  answer<{ readonly deletion_id: string; readonly state: State }>({
    no_tenant: (): AppError => notFound('Tenant'),
    wrong_name: (): AppError => invalid('confirm', 'confirm must be the name of the tenant'),
    held: (): AppError =>
      new AppError('CONFLICT', 'A room or a user of this tenant is under a legal hold: end it first', {
        details: { reason: 'legal_hold' },
      }),
  }),
);

/** Whether a deletion may go on; its row is held until the transaction's end. `wait_ms`: where it is too early. */
export const tenantDeletionProceed = schemaFunction(
  'tenant_deletion_proceed',
  { p_deletion: 'uuid' },
  value<{ readonly state: 'deleting' | 'waiting' | 'over'; readonly wait_ms?: number }>('jsonb'),
);
