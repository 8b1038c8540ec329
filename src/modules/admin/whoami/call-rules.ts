import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type AppError, internalError } from '../../../common/errors';
import { decodeId } from '../../../common/ids';
import { type AccessKind, Authenticator, type Caller, CALLERS } from '../../../platform/auth';
import { RouteTable } from '../../../platform/http';
import { SocketEndpoints } from '../../../realtime';
import type { CanIAnswerDto, CanIDto } from '../dto/whoami.dto';

/** A route with its rule, and what the path has in place of its parameters. */
interface Met {
  readonly route: string;
  readonly access: AccessKind;
  readonly parameters: ReadonlyMap<string, string>;
}

const NOT_MET = { route: null, rule: null, depends_on: null } as const;
const FOREIGN = 'An id of another tenant is one that does not exist (404)';

/** Judges a call that is not made by the same rules as one that is: those of the routes' `@Access`. */
@Injectable()
export class CallRules {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly routes: RouteTable,
    private readonly endpoints: SocketEndpoints,
  ) {}

  judge(caller: Caller, request: FastifyRequest, { method, path }: CanIDto): CanIAnswerDto {
    const [pathname = '', query = ''] = path.split('?', 2);
    const met = this.meet(method, pathname);
    if (typeof met === 'string') return { ...NOT_MET, allowed: false, why: met };
    const { route, access, parameters } = met;
    if (request.identity === undefined) throw internalError(new Error('a request came past the gate'));
    const refusal = this.authenticator.refusalOf(request.identity, request.headers, access);
    const named = parameters.get('tenant_id') ?? new URLSearchParams(query).get('tenant_id') ?? undefined;
    const why = refusal === undefined ? strangerTo(caller, named) : inWords(refusal);
    return {
      allowed: why === null,
      route,
      rule: CALLERS[access],
      why,
      depends_on: why === null ? decidedBy(access, parameters, caller) : null,
    };
  }

  /** In words, why the call meets no route. */
  private meet(method: string, path: string): Met | string {
    const socket = method === 'GET' ? this.endpoints.find(path) : undefined;
    if (socket !== undefined) return { route: `GET ${socket.path}`, access: socket.access, parameters: new Map() };
    const found = this.routes.findRoute(path);
    if (found === undefined) return 'Route not found (404)';
    const { url, rules } = found;
    if (!rules.has(method))
      return `${method} is not allowed here; allowed: ${[...rules.keys()].sort().join(', ')} (405)`;
    const access = rules.get(method);
    if (access === undefined) return 'This route is not open to any credential (401)';
    return { route: `${method} ${url.replace(/:(\w+)/g, '{$1}')}`, access, parameters: parametersOf(url, path) };
  }
}

function inWords({ message, status }: AppError): string {
  return `${message} (${status})`;
}

/** A tenant's credential knows its own tenant alone. */
function strangerTo(caller: Caller, named: string | undefined): string | null {
  const isOwn = named === undefined || caller.kind === 'master' || decodeId('tenant', named) === caller.tenantId;
  return isOwn ? null : FOREIGN;
}

/** What the rule of the route leaves to the room or the chat. */
function decidedBy(
  access: AccessKind,
  parameters: ReadonlyMap<string, string>,
  caller: Caller,
): CanIAnswerDto['depends_on'] {
  if (access !== 'user' && access !== 'tenant') return null;
  if (parameters.has('room_id')) return 'membership';
  const isOfAChat = parameters.has('chat_id') || parameters.has('conversation_id');
  // A key without a user sees all chats of its tenant.
  return isOfAChat && caller.optionalUserId !== undefined ? 'ownership' : null;
}

function parametersOf(url: string, path: string): Map<string, string> {
  const given = path.split('/');
  return new Map(
    url.split('/').flatMap((part, i) => (part.startsWith(':') ? [[part.slice(1), given[i] ?? ''] as const] : [])),
  );
}
