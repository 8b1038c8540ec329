import { applyDecorators } from '@nestjs/common';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants';
import { ApiSecurity } from '@nestjs/swagger';

/**
 * The credential that a route asks for:
 * - `public`: no credential;
 * - `user`: an API key with X-User-Id, or a user token;
 * - `tenant`: an API key, the user is optional; or a user token;
 * - `bearer`: the same, where a key may stand in `Authorization: Bearer`, as clients of OpenAI's API send it;
 * - `anyScope`: as `tenant`, whatever the key's scopes are;
 * - `tenantAdmin`: an admin-scoped API key, the user is optional; user tokens are refused;
 * - `tenantKey`: an API key, the user is optional; user tokens are refused;
 * - `tenantOrMaster`: the master key, or any API key for its own tenant; user tokens are refused;
 * - `anyCredential`: the master key, any API key (the user is optional), or a user token;
 * - `admin`: the master key, or an admin-scoped key for its own tenant;
 * - `master`: the master key only.
 */
export type AccessKind =
  | 'public'
  | 'user'
  | 'tenant'
  | 'bearer'
  | 'anyScope'
  | 'tenantAdmin'
  | 'tenantKey'
  | 'tenantOrMaster'
  | 'anyCredential'
  | 'admin'
  | 'master';

/** What the auth hook finds on a route; a route without it answers 401. */
export interface RouteAccess {
  readonly access: AccessKind;
  /** The answer holds a secret: an Idempotency-Key is not remembered. */
  readonly secretAnswer: boolean;
  readonly controller: object;
  readonly handler: object;
}

const SECURITY: Readonly<Record<AccessKind, readonly Record<string, string[]>[]>> = {
  public: [],
  user: [{ apiKey: [], userId: [] }, { bearer: [] }],
  tenant: [{ apiKey: [] }, { bearer: [] }],
  bearer: [{ apiKey: [] }, { bearer: [] }],
  anyScope: [{ apiKey: [] }, { bearer: [] }],
  tenantAdmin: [{ apiKey: [] }],
  tenantKey: [{ apiKey: [] }],
  tenantOrMaster: [{ masterKey: [] }, { apiKey: [] }],
  anyCredential: [{ masterKey: [] }, { apiKey: [] }, { bearer: [] }],
  admin: [{ masterKey: [] }, { apiKey: [] }],
  master: [{ masterKey: [] }],
};

/** The callers that a route takes, in the words of the credentials' titles. */
export const CALLERS: Readonly<Record<AccessKind, string>> = {
  public: 'everybody, without a credential',
  user: 'an API key with `X-User-Id`, or a user token',
  tenant: 'an API key, with or without `X-User-Id`; or a user token',
  bearer: 'an API key, as `Authorization: Bearer` or `X-API-Key`, with or without `X-User-Id`; or a user token',
  anyScope: 'an API key of any scope, with or without `X-User-Id`; or a user token',
  tenantAdmin: 'an API key with the scope `admin`',
  tenantKey: 'an API key, no user token',
  anyCredential: 'the master key, an API key of any scope, with or without `X-User-Id`; or a user token',
  tenantOrMaster: 'the master key, or an API key for its own tenant',
  admin: 'the master key, or an API key with the scope `admin` for its own tenant',
  master: 'the master key only',
};

/** Declares which callers a route takes. Every route has exactly one; without it the route answers 401 to every caller. */
export function Access(access: AccessKind, options: { secretAnswer?: boolean } = {}): MethodDecorator {
  return (target, property, descriptor) => {
    const route: RouteAccess = {
      access,
      secretAnswer: options.secretAnswer ?? false,
      controller: target.constructor,
      handler: descriptor.value as object,
    };
    addRouteConfig(route.handler, { access: route });
    return applyDecorators(...SECURITY[access].map((s) => ApiSecurity(s as never)))(target, property, descriptor);
  };
}

/** Adds to what Fastify keeps of a route. Nest's `RouteConfig` would replace what another decorator has added. */
export function addRouteConfig(handler: object, config: object): void {
  const before = Reflect.getOwnMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as object | undefined;
  Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...before, ...config }, handler);
}

/** The rule of a controller's method; undefined where it has none, and so is no route. */
export function accessOf(handler: object): RouteAccess | undefined {
  const config = Reflect.getOwnMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as { access?: RouteAccess } | undefined;
  return config?.access;
}
