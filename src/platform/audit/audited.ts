import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants';
import { type AccessKind, accessOf, addRouteConfig } from '../auth';
import { AUDIT_ACTIONS, type AuditAction } from './actions';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by @Audited. */
    audit?: readonly AuditAction[];
  }
}

/** What a route says of itself: its actions, or why it has none. */
type Mark = readonly AuditAction[] | { readonly notAudited: string };

const MARK = Symbol('@Audited');

/**
 * Declares which actions a route does: each successful call writes one of them in the transaction that does it
 * (`Audit.write`, `Effects`), or says that nothing was changed. The gate hands the call's trail to `Caller.audit`.
 */
export function Audited(...actions: [AuditAction, ...AuditAction[]]): MethodDecorator {
  return (_target, _property, descriptor) => {
    mark(descriptor.value, actions);
    addRouteConfig(descriptor.value as object, { audit: actions });
  };
}

/** Declares that a route which looks as if it changed something changes nothing. @param reason why, for who reads the code */
export function NotAudited(reason: string): MethodDecorator {
  return (_target, _property, descriptor) => mark(descriptor.value, { notAudited: reason });
}

function mark(handler: unknown, value: Mark): void {
  if (Reflect.hasOwnMetadata(MARK, handler as object))
    throw new Error(`${(handler as { name?: string }).name} says twice whether it is audited`);
  Reflect.defineMetadata(MARK, value, handler as object);
}

/** A method of a controller, as the check needs it. */
export interface CheckedMethod {
  /** Name of the class. */
  readonly controller: string;
  readonly method: string;
  readonly handler: object;
  /** Of the controller, without a slash at the beginning. */
  readonly path: string;
}

/** Whose calls are administration, whatever the path. */
const ADMINISTRATORS: ReadonlySet<AccessKind | undefined> = new Set([
  'master',
  'admin',
  'tenantAdmin',
  'tenantOrMaster',
]);
const CHANGES: ReadonlySet<RequestMethod | undefined> = new Set([
  ...[RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE],
]);

/**
 * Refuses to start with a route of administrators that changes something and says nothing of the audit log, with an action
 * that no route does, and with one that two do.
 */
export function checkAudited(methods: readonly CheckedMethod[]): void {
  const doers = new Map<string, string>();
  for (const { controller, method, handler, path } of methods) {
    const name = `${controller}.${method}`;
    const said = Reflect.getOwnMetadata(MARK, handler) as Mark | undefined;
    const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    const isAdministration = ADMINISTRATORS.has(accessOf(handler)?.access) || /^admin(\/|$)/.test(path);
    if (said === undefined && isAdministration && CHANGES.has(verb))
      throw new Error(`${name} changes something and is not audited: give it @Audited or @NotAudited`);
    for (const action of isActions(said) ? said : []) {
      const other = doers.get(action);
      if (other !== undefined) throw new Error(`${name} and ${other} both do ${action}`);
      doers.set(action, name);
    }
  }
  const undone = Object.keys(AUDIT_ACTIONS).filter((action) => !doers.has(action));
  if (undone.length > 0) throw new Error(`No route does ${undone.join(', ')}`);
}

function isActions(said: Mark | undefined): said is readonly AuditAction[] {
  return Array.isArray(said);
}
