import { SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RouteAccess } from '../auth';

const ENVELOPED = Symbol('always or never enveloped');

/** How a route's successes are shaped whatever the caller asks for; `asked`: as the caller asks. */
export type EnvelopeRule = 'always' | 'never' | 'asked';

/** Successes of the controller, or of one route, are `{success,data}`, whatever the caller asks for. */
export function AlwaysEnveloped(): ClassDecorator & MethodDecorator {
  return SetMetadata(ENVELOPED, 'always' satisfies EnvelopeRule);
}

/** Successes of one route are what it returns, whatever the caller asks for and the controller says. */
export function NeverEnveloped(): MethodDecorator {
  return SetMetadata(ENVELOPED, 'never' satisfies EnvelopeRule);
}

/** What the decorators of a route say; those of the method win. */
export function envelopeRuleOf({ handler, controller }: Pick<RouteAccess, 'handler' | 'controller'>): EnvelopeRule {
  const rule: unknown = Reflect.getMetadata(ENVELOPED, handler) ?? Reflect.getMetadata(ENVELOPED, controller);
  return (rule ?? 'asked') as EnvelopeRule;
}

/** Asking the metadata on every request would cost more than the envelope. */
const rules = new WeakMap<object, EnvelopeRule>();

/** A success as it leaves: as it is, `{success,data}`, or `{success,data,error}` where the caller asked for it. */
export function wrapped(request: FastifyRequest, payload: unknown): unknown {
  const route = request.routeOptions.config.access;
  if (route === undefined) return payload;
  let rule = rules.get(route);
  if (rule === undefined) rules.set(route, (rule = envelopeRuleOf(route)));
  if (rule === 'never') return payload;
  if (wantsEnvelope(request)) return { success: true, data: payload, error: null };
  return rule === 'always' && request.caller !== undefined ? { success: true, data: payload } : payload;
}

/** The header decides, else the tenant's setting. */
function wantsEnvelope(request: FastifyRequest): boolean {
  const { caller } = request;
  if (!caller) return false;
  const header = request.headers['x-response-format'];
  if (header === 'envelope') return true;
  return header !== 'bare' && caller.tenant?.settings.response_format === 'envelope';
}
