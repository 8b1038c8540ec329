import { systemFunction, value } from '../database';

export interface ClaimCursor {
  readonly tenant_id: string;
  readonly kind: string;
}

export interface ClaimedRow {
  readonly tenant_id: string;
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly fence: number;
  readonly last_error: string | null;
  readonly created_at: string;
}

export interface JobClaim {
  readonly jobs: readonly ClaimedRow[];
  /** Others are due that a limit kept back: look again when a job ends. */
  readonly more: boolean;
  readonly cursor: ClaimCursor | null;
}

/** Takes jobs of all tenants: those that are due, as far as the limits go, the longest due first. */
export const jobsClaim = systemFunction(
  'jobs_claim',
  {
    p_kinds: 'text[]',
    p_free: 'integer[]',
    p_per_tenant: 'integer[]',
    p_per_key: 'integer[]',
    p_max_attempts: 'integer[]',
    p_tenant_limits: 'text[]',
    p_tenant_defaults: 'integer[]',
    p_user_limits: 'text[]',
    p_user_defaults: 'integer[]',
    p_lease_ms: 'bigint',
    p_after_tenant: 'uuid?',
    p_after_kind: 'text?',
    p_scan: 'integer',
  },
  value<JobClaim>('jsonb'),
);
