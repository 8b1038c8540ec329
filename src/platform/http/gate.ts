import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, unauthenticated, unavailable } from '../../common/errors';
import { type Authenticator, BadCredential, type Identity, type RouteAccess } from '../auth';
import type { Lifecycle } from '../lifecycle';
import type { Metrics } from '../metrics';
import { type FailedCredentials, rateLimitCodeOf, type TenantThrottlerGuard, windowOf } from '../rate-limit';
import type { QueryNames } from './query-names';

/**
 * What every request passes before its body is read: not stopping, a proven credential, the tenant's limit, the
 * route's rule, a query that the route takes. Runs as a Fastify hook because Nest's guards come after the body is
 * parsed. A route without a rule answers 401. Synchronous where the credential is cached and the counters are local:
 * the hot path has no promise here.
 */
export class Gate {
  constructor(
    private readonly authenticator: Authenticator,
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
    const route = request.routeOptions.config.access;
    if (route?.access === 'public') return;
    if (this.lifecycle.stopping) {
      reply.header('Connection', 'close');
      throw unavailable('The server is stopping');
    }
    if (route === undefined) throw unauthenticated('This route is not open to any credential');
    const identity = this.authenticator.identify(request.headers, route.access, request);
    if (identity instanceof Promise) return identity.then((found) => this.admit(request, reply, found, route));
    return this.admit(request, reply, identity, route);
  }

  private admit(
    request: FastifyRequest,
    reply: FastifyReply,
    identity: Identity,
    route: RouteAccess,
  ): void | Promise<void> {
    request.rateWindow = windowOf(identity, request.routeOptions.url ?? request.url);
    const authorise = (): void => {
      request.caller = this.authenticator.authorise(identity, request.headers, route.access, request.id);
      this.queries.check(request, route.handler);
    };
    const taken = this.throttler.take(request, reply, route);
    if (taken instanceof Promise) return taken.then(authorise);
    authorise();
  }

  private counted(request: FastifyRequest, error: unknown): Error {
    if (error instanceof AppError) {
      if (error.code === 'AUTHENTICATION_ERROR')
        this.metrics.counter('chatapi_auth_failures_total').labels({ reason: 'unauthenticated' }).inc();
      if (error.code === 'AUTHORIZATION_ERROR')
        this.metrics.counter('chatapi_auth_failures_total').labels({ reason: 'forbidden' }).inc();
      if (error.code === 'RATE_LIMIT_EXCEEDED' || error.code === 'RATE_LIMITED')
        this.metrics
          .counter('chatapi_rate_limited_total')
          .labels({ family: request.rateWindow?.family ?? 'rooms' })
          .inc();
    }
    return error instanceof Error ? error : new Error('something that is no error was thrown', { cause: error });
  }
}
