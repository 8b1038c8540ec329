import { systemFunction, value } from '../../platform/database';

/** Counts of work; each ends at `p_cap`, and is then named in `capped`. */
export interface CountsRow {
  readonly jobs: readonly {
    readonly kind: string;
    readonly queued: number;
    readonly running: number;
    readonly dead: number;
  }[];
  readonly runs: { readonly queued: number; readonly streaming: number };
  readonly dead_letters: { readonly message: number; readonly notification: number; readonly webhook: number };
  readonly capped: readonly string[];
}

/** Without `p_tenant` of all tenants. */
export const statsCounts = systemFunction(
  'stats_counts',
  { p_tenant: 'uuid?', p_cap: 'integer' },
  value<CountsRow>('jsonb'),
);

/** Adds to the present minute of tenants. */
export const statsMinutesAdd = systemFunction('stats_minutes_add', { p_rows: 'json' }, value<null>('void'));
