import { createHash, hash } from 'node:crypto';
import { canonicalJson } from '../../common/text';
import type { Caller } from '../../platform/auth';
import { asJsonObject } from '../../platform/validation';

/** A message's meta as JSON text; null when there is none. */
export function metaText(meta: Record<string, unknown> | string | undefined): string | null {
  return meta === undefined ? null : JSON.stringify(asJsonObject(meta));
}

/** What a repeat with the same client_message_id must be equal to: content and meta, whatever the order of keys. */
export function bodyHash(content: string, meta: string | null, alsoEqual?: string): Buffer {
  const canonical = meta === null ? '' : canonicalJson(JSON.parse(meta));
  // No meta holds a NUL: with something more no body equals one without.
  const more = alsoEqual === undefined ? '' : `\0${alsoEqual}`;
  return hash('sha256', `${content}\0${canonical}${more}`, 'buffer');
}

/** The client_message_id that binds a message: the client's, else its Idempotency-Key as a hash. */
export function bindingId(caller: Caller, clientMessageId: string | undefined): string | null {
  if (clientMessageId !== undefined) return clientMessageId;
  if (caller.idempotency === undefined) return null;
  return `key:${createHash('sha256').update(caller.idempotency.key).digest('base64url')}`;
}
