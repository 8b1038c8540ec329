import type { FastifyRequest } from 'fastify';

/** Whether a success is wrapped as `{success,data,error}`: the header decides, else the tenant's setting. */
export function wantsEnvelope(request: FastifyRequest): boolean {
  const { caller } = request;
  if (!caller) return false;
  const header = request.headers['x-response-format'];
  if (header === 'envelope') return true;
  return header !== 'bare' && caller.tenant?.settings.response_format === 'envelope';
}

export function envelope(data: unknown): object {
  return { success: true, data, error: null };
}
