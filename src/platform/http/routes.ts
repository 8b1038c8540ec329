/** Which routes there are, and what each of them takes. */
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type FieldError, invalid, invalidFields } from '../../common/errors';
import type { AccessKind, RouteAccess } from '../auth';
import { type DtoClass, isDto, nestedClasses, type ObjectSchema, type Validator } from '../validation';

interface KnownRoute {
  readonly pattern: RegExp;
  /** Hooks may still write the rule after the route was made: it is read when it is asked for. */
  readonly methods: Map<string, { readonly config?: { readonly access?: RouteAccess } }>;
}

/** What a call would meet. */
export interface FoundRoute {
  /** With its parameters as `:name`. */
  readonly url: string;
  /** By method, its rule; undefined: it has none, and is open to nobody. */
  readonly rules: ReadonlyMap<string, AccessKind | undefined>;
}

/** Remembers the routes, to tell a wrong method (405) from an unknown route (404), and who may call what. */
@Injectable()
export class RouteTable {
  private readonly routes = new Map<string, KnownRoute>();
  private sockets: readonly string[] = [];

  /** @param sockets paths that take WebSockets and nothing else */
  watch(fastify: FastifyInstance, sockets: readonly string[]): void {
    this.sockets = sockets;
    fastify.addHook('onRoute', (route) => {
      const methods = [route.method].flat();
      if (route.url === '*' || methods.includes('OPTIONS')) return;
      let known = this.routes.get(route.url);
      if (!known) this.routes.set(route.url, (known = { pattern: patternOf(route.url), methods: new Map() }));
      for (const method of methods) known.methods.set(method, route);
    });
  }

  /** The route of a path, the most literal one where several fit. @param path without a query */
  findRoute(path: string): FoundRoute | undefined {
    const trimmed = path.replace(/\/+$/, '') || '/';
    const fitting = [...this.routes].filter(([, { pattern }]) => pattern.test(trimmed));
    const [found] = fitting.sort(([a], [b]) => (literalFirst(a) < literalFirst(b) ? -1 : 1));
    if (found === undefined) return undefined;
    const [url, { methods }] = found;
    return { url, rules: new Map([...methods].map(([method, { config }]) => [method, config?.access?.access])) };
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
      if (route.pattern.test(path)) for (const m of route.methods.keys()) methods.add(m);
    // A route that answers for many files, and not for this one, misses too.
    if (methods.size === 0 || methods.has(request.method)) return new AppError('NOT_FOUND', 'Route not found');
    const allow = [...methods].sort().join(', ');
    reply.header('Allow', allow);
    return new AppError('METHOD_NOT_ALLOWED', `${request.method} is not allowed here; allowed: ${allow}`);
  }
}

/** Sorts a route before those that have a parameter in place of one of its words. */
function literalFirst(url: string): string {
  return url.replace(/:[^/]+|\*/g, '\uffff');
}

function patternOf(url: string): RegExp {
  const trimmed = url.replace(/\/+$/, '') || '/';
  const source = trimmed
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[^/]+/g, '[^/]+')
    .replace(/\*/g, '.*');
  return new RegExp(`^${source}$`);
}

/** One method of a controller class. */
interface ControllerMethod {
  /** Name of the class. */
  readonly controller: string;
  readonly method: string;
  readonly handler: object;
  /** Of the controller, as it is declared: without a slash at the beginning. */
  readonly path: string;
  /** Classes of the parameters, as far as the compiler wrote them down. */
  readonly parameters: readonly unknown[];
  /** Those of the parameters that take the query. */
  readonly queries: readonly unknown[];
}

/** Every method of every controller of the app. */
export function controllerMethods(app: INestApplicationContext): ControllerMethod[] {
  const discovery = app.get(DiscoveryService, { strict: false });
  const scanner = app.get(MetadataScanner, { strict: false });
  return discovery.getControllers().flatMap(({ metatype, name }) => {
    const prototype = (metatype as { prototype?: object } | null)?.prototype;
    if (!prototype) return [];
    const path = String(Reflect.getMetadata(PATH_METADATA, prototype.constructor) ?? '');
    return scanner.getAllMethodNames(prototype).map((method) => {
      const parameters = (Reflect.getMetadata('design:paramtypes', prototype, method) ?? []) as unknown[];
      return {
        controller: String(name),
        method,
        handler: (prototype as Record<string, object>)[method] ?? {},
        path,
        parameters,
        queries: queryArguments(prototype, method).map((index) => parameters[index]),
      };
    });
  });
}

/** Where among its arguments a method takes the query. Nest keeps them by kind and place: `4:0`. */
function queryArguments(prototype: object, method: string): number[] {
  const decorated = (Reflect.getMetadata(ROUTE_ARGS_METADATA, prototype.constructor, method) ?? {}) as object;
  return Object.keys(decorated)
    .map((key) => key.split(':').map(Number))
    .flatMap(([kind, index]) => (kind === RouteParamtypes.QUERY && index !== undefined ? [index] : []));
}

/**
 * Compiles the DTO of every controller method at boot, so that a decorator it does not know fails here and not later.
 * Returns the schemas by class name, nested classes included.
 */
export function compileDtos(app: INestApplicationContext, validator: Validator): ReadonlyMap<string, ObjectSchema> {
  const types = controllerMethods(app).flatMap(({ parameters }) => parameters.filter(isDto));
  const all: readonly DtoClass[] = [...types, ...nestedClasses()];
  return new Map(all.map((type) => [type.name, validator.prepare(type)]));
}

const MAX_FAULTS = 20;
const MAX_SHOWN = 100;
/** What caches, trackers and proxies add to any URL. */
const IGNORED = /^(_|utm_)/;

/**
 * Refuses parameters of a URL that are not documented, as unknown fields of a body are: `?afer_seq=5` would otherwise be
 * answered as if nothing had been asked for. Names that begin with `_` or `utm_` are ignored. Throws 400 with all faults.
 * @param given the names as they stand in the URL, repeated where they are
 */
export function refuseUnknownParameters(given: Iterable<string>, known: ReadonlySet<string>): void {
  const seen = new Set<string>();
  const faults = new Map<string, FieldError>();
  for (const name of given) {
    if (IGNORED.test(name)) continue;
    const isRepeated = seen.has(name);
    seen.add(name);
    if (faults.size === MAX_FAULTS || (known.has(name) && !isRepeated)) continue;
    const field = name.slice(0, MAX_SHOWN).toWellFormed();
    const message = known.has(name) ? `${field} must be given only once` : `Unknown query parameter: ${field}`;
    faults.set(field, { field, message });
  }
  if (faults.size > 0) throw invalidFields([...faults.values()]);
}

/** What each route takes in its query: the fields of the DTO of its `@Query()`, which are what Swagger documents. */
export class QueryNames {
  /** By handler. */
  private readonly known = new Map<object, ReadonlySet<string>>();

  constructor(app: INestApplicationContext, validator: Validator) {
    for (const { controller, method, handler, queries } of controllerMethods(app)) {
      const names = queries.flatMap((type) => {
        if (!isDto(type)) throw new Error(`${controller}.${method} takes a query that is no DTO`);
        return Object.keys(validator.prepare(type).properties);
      });
      this.known.set(handler, new Set(names));
    }
  }

  /** Throws 400 for what the route does not take. Costs nothing where the URL has no query. */
  check(request: FastifyRequest, handler: object): void {
    if (!request.url.includes('?')) return;
    const query = request.query as Readonly<Record<string, string | readonly string[]>>;
    const given = Object.entries(query).flatMap(([name, value]) =>
      typeof value === 'string' ? [name] : value.map(() => name),
    );
    refuseUnknownParameters(given, this.known.get(handler) ?? new Set());
  }
}
