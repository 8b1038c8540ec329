import { schemaFunction, value } from '../database';

/** What is known of a key when it is taken. */
export interface Beginning {
  readonly state: 'new' | 'running' | 'mismatch' | 'replay';
  readonly result?: unknown;
}

const KEY = { p_user: 'text', p_route: 'text', p_key: 'text', p_fingerprint: 'bytea' } as const;

/** Holds the key until the transaction's end, unless another one does. */
export const idempotencyBegin = schemaFunction('idempotency_begin', KEY, value<Beginning>('jsonb'));

/** Stores a result whose status is 'ok' under the key, and hands any through. */
export const idempotencyRemember = schemaFunction(
  'idempotency_remember',
  { ...KEY, p_result: 'jsonb' },
  value<unknown>('jsonb'),
);

/** Binds the key to its body, before an effect outside of a transaction of ours. */
export const idempotencyClaim = schemaFunction('idempotency_claim', KEY, value<Beginning>('jsonb'));

/** Takes a claim back. */
export const idempotencyRelease = schemaFunction('idempotency_release', KEY, value<unknown>('jsonb'));
