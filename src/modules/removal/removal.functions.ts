import { AppError, notFound } from '../../common/errors';
import { answer, schemaFunction, value } from '../../platform/database';
import type { EraseBatch } from '../../platform/tenant-data';
import type { ErasureState } from './entities/erasure.entity';

/** Begins the erase of a user, or answers with the one that is under way. */
export const erasureRequest = schemaFunction(
  'erasure_request',
  {
    p_user: 'text',
    p_erasure: 'uuid',
    p_erased: 'text',
    p_mac: 'bytea',
    p_mac_key: 'text',
    p_delay_ms: 'integer',
  },
  answer<{ readonly erasure_id: string; readonly state: ErasureState }>({
    no_user: () => notFound('User'),
    legal_hold: () =>
      new AppError('CONFLICT', 'A legal hold keeps what this user has written: end it first', {
        details: { reason: 'legal_hold' },
      }),
  }),
);

/** Counts a batch, in the statement that does it, where the erase is still where the batch began. */
export const erasureCounted = schemaFunction(
  'erasure_counted',
  { p_erasure: 'uuid', p_of: 'text', p_step: 'text', p_at: 'jsonb?', p_next: 'text', p_batch: 'jsonb' },
  value<EraseBatch>('jsonb'),
);
