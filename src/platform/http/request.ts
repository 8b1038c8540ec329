import type { Caller, RouteAccess } from '../auth';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the auth hook on every route that is not public. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** Set by @Access; a route without it answers 401. */
    access?: RouteAccess;
  }
}
