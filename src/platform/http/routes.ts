import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, invalid } from '../../common/errors';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Remembers the routes, to tell a wrong method (405) from an unknown route (404). Only looked at on misses. */
export class RouteTable {
  private readonly routes = new Map<string, KnownRoute>();

  /** @param sockets paths that take WebSockets and nothing else */
  constructor(private readonly sockets: readonly string[]) {}

  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => {
      const methods = [route.method].flat();
      if (route.url === '*' || methods.includes('OPTIONS')) return;
      let known = this.routes.get(route.url);
      if (!known) this.routes.set(route.url, (known = { pattern: patternOf(route.url), methods: new Set() }));
      for (const method of methods) known.methods.add(method);
    });
  }

  /** What a request that met no route gets. */
  miss(request: FastifyRequest, reply: FastifyReply): AppError {
    const path = (request.url.split('?', 1)[0] ?? '').replace(/\/+$/, '') || '/';
    if (this.sockets.includes(path)) {
      reply.header('Upgrade', 'websocket');
      return invalid('Upgrade', `${path} takes WebSocket connections only`);
    }
    const methods = new Set<string>();
    for (const route of this.routes.values())
      if (route.pattern.test(path)) for (const m of route.methods) methods.add(m);
    // A route that answers for many files, and not for this one, misses too.
    if (methods.size === 0 || methods.has(request.method)) return new AppError('NOT_FOUND', 'Route not found');
    const allow = [...methods].sort().join(', ');
    reply.header('Allow', allow);
    return new AppError('METHOD_NOT_ALLOWED', `${request.method} is not allowed here; allowed: ${allow}`);
  }
}

function patternOf(url: string): RegExp {
  const trimmed = url.replace(/\/+$/, '') || '/';
  const source = trimmed
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[^/]+/g, '[^/]+')
    .replace(/\*/g, '.*');
  return new RegExp(`^${source}$`);
}
