import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { unauthenticated, unavailable } from '../../common/errors';
import type { Authenticator, Identity, RouteAccess } from '../auth';
import type { Lifecycle } from '../lifecycle';
import { type TenantThrottlerGuard, windowOf } from '../rate-limit';

/**
 * What every request passes before its body is read: not stopping, a proven credential, the tenant's limit, the
 * route's rule. Runs as a Fastify hook because Nest's guards come after the body is parsed. A route without a rule
 * answers 401.
 */
export class Gate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly throttler: TenantThrottlerGuard,
    private readonly lifecycle: Lifecycle,
  ) {}

  async pass(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (request.is404) return;
    const route = request.routeOptions.config.access;
    if (route?.access === 'public') return;
    if (this.lifecycle.stopping) {
      reply.header('Connection', 'close');
      throw unavailable('The server is stopping');
    }
    if (route === undefined) throw unauthenticated('This route is not open to any credential');
    const found = this.authenticator.identify(request.headers, route.access);
    const identity = found instanceof Promise ? await found : found;
    await this.limit(request, reply, identity, route);
    request.caller = this.authenticator.authorise(identity, request.headers, route.access, request.id);
  }

  private async limit(
    request: FastifyRequest,
    reply: FastifyReply,
    identity: Identity,
    route: RouteAccess,
  ): Promise<void> {
    request.rateWindow = windowOf(identity, request.routeOptions.url ?? request.url);
    const context = new ExecutionContextHost([request, reply], route.controller as never, route.handler as never);
    context.setType('http');
    await this.throttler.canActivate(context);
  }
}
