import type { IncomingHttpHeaders } from 'node:http';
import type { AppError } from '../../common/errors';
import type { Caller, LimitName } from '../../platform/auth';
import { markClass, markMethod } from '../../platform/discovery';
import type { AcceptedConnection } from './connection';

/** A request to open a socket. Its query may hold secrets: never logged, never echoed. */
export interface SocketRequest {
  readonly id: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** What a new connection is told first. */
export interface Greeting {
  readonly connectionId: string;
  readonly caller: Caller;
  readonly epoch: number;
  readonly heartbeatMs: number;
}

/** A path that takes sockets, and the words in which it speaks with its clients. */
export interface SocketEndpoint {
  /** Without a slash at its end. */
  readonly path: string;
  /** How many connections a tenant may have here, and one user of it. */
  readonly tenantLimit: LimitName;
  readonly userLimit: LimitName | undefined;
  /** `user`: every connection acts as a user. `tenant`: a key without one may come too; `enter` then names the user. */
  readonly access: 'user' | 'tenant';
  /** The frames of clients; the server does not start when one has no operation, or another one has. */
  readonly clientFrames: readonly string[];
  /** What a frame without a type is; undefined: refused. */
  readonly defaultFrame?: string;
  /**
   * The last check of an upgrade but for a ticket's single use: what the request asks for, and whether this caller may.
   * Throws what the client is told; the caller that it returns is the connection's.
   */
  enter?(request: SocketRequest, caller: Caller): Promise<Caller>;
  hello(greeting: Greeting): object;
  /** @param requestId the client's, or that of the upgrade; @param retryAfterMs instead of what the error says */
  error(error: AppError, requestId: string | undefined, retryAfterMs?: number): object;
  /** The reply of an operation. */
  reply(type: string, requestId: string | undefined, fields: object): object;
  shutdown(reconnectAfterMs: number): object;
  readonly document: EndpointDocument;
}

/** How AsyncAPI describes an endpoint. */
export interface EndpointDocument {
  /** Names the channel. */
  readonly channel: string;
  /** What a client has to know beyond the frames, as Markdown. */
  readonly introduction: string;
  /** What of the server's frames tells one from the other. */
  readonly typeField: 'type' | 'event_type';
  /** JSON schemas of the fields that every frame of the server has beside its type. */
  readonly everyFrame: Readonly<Record<string, object>>;
  /** JSON schemas of what the upgrade request may hold beside what every endpoint takes. */
  readonly query: Readonly<Record<string, object>>;
  readonly headers: Readonly<Record<string, object>>;
}

export const ENDPOINT = Symbol('@ServesEndpoint');
export const ON_CONNECTION = Symbol('@OnConnection');

export interface ConnectionOrder {
  readonly path: string;
  readonly name: string;
  readonly after: readonly string[];
}

/** Makes a provider a path that takes sockets. No two have one path. */
export function ServesEndpoint(): (target: abstract new (...args: never[]) => SocketEndpoint) => void {
  return markClass(ENDPOINT, {});
}

/**
 * Calls the method for each connection of a path that opens, after `hello` was queued. They are called one after the
 * other has settled, and the socket is not read before all have. When one throws or rejects, the client gets the error and
 * is closed.
 * @param name by which other handlers of the path say that they come after it
 * @param after what has to have settled before; what names nothing comes in the order of the names
 */
export function OnConnection(
  path: string,
  name: string,
  { after = [] }: { readonly after?: readonly string[] } = {},
): <M extends (connection: AcceptedConnection) => void | Promise<void>>(
  target: object,
  property: string,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  return (_target, _property, descriptor) =>
    markMethod(ON_CONNECTION, { path, name, after } satisfies ConnectionOrder)(descriptor);
}
