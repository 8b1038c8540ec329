import { Injectable } from '@nestjs/common';
import { schemaFunction, systemFunction, value } from '../../platform/database';
import { eraseFunction, EraseStep, type EraseWork } from '../../platform/tenant-data';

/** How far a walk over a tenant's rooms has come. */
export interface Walked {
  /** The room to go on behind; null: it has been through. */
  readonly after: string | null;
  readonly counted: number;
}

export const usageCountRooms = schemaFunction(
  'usage_count_rooms',
  { p_after: 'uuid', p_rooms: 'integer', p_messages: 'integer' },
  value<Walked>('jsonb'),
);

/** How many runs were counted. */
export const usageCountRuns = schemaFunction('usage_count_runs', { p_limit: 'integer' }, value<number>('integer'));

/** All that was committed before then is counted. */
export const usageComplete = schemaFunction('usage_complete', { p_before: 'timestamptz' }, value<unknown>('void'));

/** Items of one tenant stand at the same place in all arrays. */
export const usageFlush = systemFunction(
  'usage_flush',
  { p_tenants: 'uuid[]', p_deliveries: 'bigint[]', p_posts: 'bigint[]', p_peaks: 'integer[]' },
  value<null>('void'),
);

/** Gives the figures of a user to who stands for them. */
@Injectable()
@EraseStep('usage')
export class UsageErase implements EraseWork {
  readonly batch = eraseFunction('usage_erase');
}
