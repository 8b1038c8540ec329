import { randomBytes } from 'node:crypto';

/** Begins every webhook secret (Standard Webhooks). */
export const WEBHOOK_SECRET_PREFIX = 'whsec_';
const BYTES = 32;

/** A new key for signatures: the prefix and 256 random bits as base64. */
export function newWebhookSecret(): string {
  return WEBHOOK_SECRET_PREFIX + randomBytes(BYTES).toString('base64');
}
