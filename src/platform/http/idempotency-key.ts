import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { invalid } from '../../common/errors';
import { canonicalJson } from '../../common/text';

const MAX_KEY = 255;

/**
 * Reads the Idempotency-Key of a POST and binds it to the caller; runs after the body is parsed. Where the answer
 * holds a secret the key is checked and otherwise ignored: nothing is remembered.
 */
export function bindIdempotencyKey(request: FastifyRequest): void {
  const header = request.headers['idempotency-key'];
  const { caller } = request;
  const access = request.routeOptions.config.access;
  if (header === undefined || request.method !== 'POST' || !caller || !access) return;
  const key = Array.isArray(header) ? header.join(',') : header;
  if (key.length === 0 || key.length > MAX_KEY || !/^[\x20-\x7e]+$/.test(key))
    throw invalid('Idempotency-Key', `Idempotency-Key must be 1-${MAX_KEY} printable ASCII characters`);
  if (access.secretAnswer) return;
  const path = (request.url.split('?', 1)[0] ?? '').replace(/\/+$/, '');
  caller.idempotency = {
    key,
    route: `${request.method} ${path}`,
    fingerprint: createHash('sha256')
      .update(canonicalJson(request.body ?? null))
      .digest(),
  };
}
