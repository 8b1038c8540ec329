import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { internalError, unauthenticated } from '../../common/errors';
import type { RouteAccess } from './access';
import { Authenticator, type Identity } from './authenticator';
import { Caller } from './caller';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose credential it is; set by the guard once that is proven. */
    identity: Identity | undefined;
    /** The user or key that makes the call; set by the guard once the route's rule allows it. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** Set by @Access; a route without it answers 401. */
    access?: RouteAccess;
  }
}

/**
 * The one place where a route's rule (`@Access`) is decided: API key with the user that it acts as, user token, master key.
 *
 * Invariant: no handler of a route that is not public runs without a caller that its rule allows.
 *
 * The gate asks before the body is read (`identify`, the tenant's limit, `authorise`). Nest asks after it, right before the
 * handler (`canActivate`), and is answered by what the first time has left on the request. Where nothing was left the request
 * came past the gate, which is a fault of ours: refused with 500 and logged.
 */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly authenticator: Authenticator) {}

  /** Proves the credential of a request. Throws 401, also on a route without a rule. */
  identify(request: FastifyRequest): Identity | Promise<Identity> {
    const identity = this.authenticator.identify(request.headers, ruleOf(request).access, request);
    return identity instanceof Promise ? identity.then((found) => keep(request, found)) : keep(request, identity);
  }

  /** Applies the route's rule to the identity that `identify` has found. Throws 400, 401 or 403. */
  authorise(request: FastifyRequest, identity: Identity): void {
    request.caller = this.authenticator.authorise(identity, request.headers, ruleOf(request).access, request.id);
  }

  /** A socket's caller was decided at its upgrade. For other transports nothing decides, so they are refused. */
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() === 'ws')
      return context.switchToWs().getClient<{ caller?: unknown }>().caller instanceof Caller;
    if (context.getType() !== 'http') return false;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.caller !== undefined || request.routeOptions.config.access?.access === 'public') return true;
    throw internalError(new Error('a request came past the gate'));
  }
}

/** Throws 401 for a route that has none: deny by default. */
export function ruleOf(request: FastifyRequest): RouteAccess {
  const rule = request.routeOptions.config.access;
  if (rule === undefined) throw unauthenticated('This route is not open to any credential');
  return rule;
}

function keep(request: FastifyRequest, identity: Identity): Identity {
  return (request.identity = identity);
}
