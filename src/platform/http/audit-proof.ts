import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { internalError } from '../../common/errors';
import type { Log } from '../logging';
import type { Metrics } from '../metrics';

/**
 * Looks at every answer of an audited route: a call that succeeded has left a row in the audit log, or has said that it
 * changed nothing. The decorator alone could lie.
 */
export class AuditProof {
  /** @param isStrict an answer without its row becomes a 500: in tests, so that each call of a route is a test of this */
  constructor(
    private readonly log: Log,
    private readonly metrics: Metrics,
    private readonly isStrict: boolean,
  ) {}

  /** Hooks into the audited routes alone: no other answer pays for it. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => {
      if (route.config?.audit !== undefined) route.onSend = [...[route.onSend ?? []].flat(), this.hook];
    });
  }

  private readonly hook = (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: Error | null, payload?: unknown) => void,
  ): void => {
    const isMissing = reply.statusCode < 300 && !this.hasTrail(request);
    if (!isMissing || !this.isStrict) done(null, payload);
    else done(internalError(new Error('an audited action left no row')));
  };

  private hasTrail(request: FastifyRequest): boolean {
    const { caller } = request;
    if (caller?.audit !== undefined && caller.audit.rows > 0) {
      this.metrics.counter('chatapi_audit_rows_total').inc(caller.audit.rows);
      return true;
    }
    if (caller?.replayed === true || caller?.audit?.isNothing === true) return true;
    this.metrics.counter('chatapi_audit_missing_total').inc();
    const { method, routeOptions } = request;
    const route = `${method} ${routeOptions.url ?? ''}`;
    this.log.error(
      { request_id: request.id, route, actions: routeOptions.config.audit },
      'an audited action left no row',
    );
    return false;
  }
}
