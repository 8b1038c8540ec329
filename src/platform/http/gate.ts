import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, unavailable } from '../../common/errors';
import { type ApiKeyGuard, AuditTrail, BadCredential, type Caller, type Identity, ruleOf } from '../auth';
import type { Lifecycle } from '../lifecycle';
import type { Metrics } from '../metrics';
import { type FailedCredentials, rateLimitCodeOf, type TenantThrottlerGuard } from '../rate-limit';
import type { QueryNames } from './routes';

/**
 * What every request passes before its body is read: not stopping, a proven credential, the tenant's limit, the
 * route's rule, a query that the route takes. A Fastify hook that asks Nest's guards (`ApiKeyGuard`, `TenantThrottlerGuard`)
 * early, because Nest itself asks them after the body is parsed. Synchronous where the credential is cached and the
 * counters are local: the hot path has no promise here.
 */
export class Gate {
  constructor(
    private readonly guard: ApiKeyGuard,
    private readonly throttler: TenantThrottlerGuard,
    private readonly failures: FailedCredentials,
    private readonly lifecycle: Lifecycle,
    private readonly metrics: Metrics,
    private readonly queries: QueryNames,
  ) {}

  /** Fastify's hook: calls `done` with the refusal, or with nothing. */
  readonly hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const refuse = (error: unknown): void => {
      const counted = this.counted(request, error);
      if (!(counted instanceof BadCredential)) done(counted);
      else
        void this.failures
          .refusal(counted, request, rateLimitCodeOf(request.routeOptions.url ?? request.url))
          .then((refusal) => done(refusal));
    };
    try {
      const passed = this.pass(request, reply);
      if (passed instanceof Promise) passed.then(() => done(), refuse);
      else done();
    } catch (error) {
      refuse(error);
    }
  };

  private pass(request: FastifyRequest, reply: FastifyReply): void | Promise<void> {
    if (request.is404) return;
    if (request.routeOptions.config.access?.access === 'public') return;
    if (this.lifecycle.refusing) {
      reply.header('Connection', 'close');
      throw unavailable('The server is stopping');
    }
    const identity = this.guard.identify(request);
    if (identity instanceof Promise) return identity.then((found) => this.admit(request, reply, found));
    return this.admit(request, reply, identity);
  }

  private admit(request: FastifyRequest, reply: FastifyReply, identity: Identity): void | Promise<void> {
    const rule = ruleOf(request);
    const authorise = (): void => {
      this.guard.authorise(request, identity);
      const { audit } = request.routeOptions.config;
      if (audit !== undefined && request.caller !== undefined) request.caller.audit = new AuditTrail(audit, request);
      this.queries.check(request, rule.handler);
    };
    const taken = this.throttler.takeRequest(request, reply, rule);
    if (taken instanceof Promise) return taken.then(authorise);
    authorise();
  }

  private counted(request: FastifyRequest, error: unknown): Error {
    if (error instanceof AppError) {
      if (error.code === 'AUTHENTICATION_ERROR')
        this.metrics.counter('chatapi_auth_failures_total').labels({ reason: 'unauthenticated' }).inc();
      if (error.code === 'AUTHORIZATION_ERROR')
        this.metrics.counter('chatapi_auth_failures_total').labels({ reason: 'forbidden' }).inc();
      if (error.code === 'RATE_LIMIT_EXCEEDED' || error.code === 'RATE_LIMITED') this.limited(request);
    }
    return error instanceof Error ? error : new Error('something that is no error was thrown', { cause: error });
  }

  private limited({ identity, rateWindow }: FastifyRequest): void {
    this.metrics
      .counter('chatapi_rate_limited_total')
      .labels({ family: rateWindow?.family ?? 'rooms' })
      .inc();
    if (identity !== undefined && identity.kind !== 'master')
      this.metrics.tenant(identity.grant.tenant.tenantId).refused++;
  }
}

/** The caller of a request, as the gate established it. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!caller) throw new Error('a public route has no caller');
  return caller;
});
