import type { IncomingMessage } from 'node:http';
import { forbidden, invalid, unauthenticated } from '../../common/errors';
import { type Caller, type CredentialHeaders, TICKET_PREFIX } from '../../platform/auth';
import { clientAddress, refuseUnknownParameters } from '../../platform/http';
import type { SocketDoor, SocketRequest } from '../feed/ports';

const BEARER_TICKET = new RegExp(`^Bearer +(${TICKET_PREFIX}\\S+)$`, 'i');

const text = (description: string): object => ({ type: 'string', description });

/** What every upgrade may have in its URL, as AsyncAPI describes it; a door has more of its own. */
export const UPGRADE_QUERY: Readonly<Record<string, object>> = {
  token: text('A user token or a socket ticket.'),
  api_key: text('An API key, with `user_id`.'),
  user_id: text('The user that the connection acts as, with `api_key`.'),
  close_codes: { type: 'string', enum: ['1'], description: 'Refusals as a close code instead of an HTTP answer.' },
};

/** An upgrade as the checks need it. */
export interface UpgradeRequest extends SocketRequest {
  readonly method: string;
  /** The client's address, as REST has it. */
  readonly ip: string;
  /** Without the query. */
  readonly path: string;
  /** Refusals are to be told on a socket, since a browser cannot read an HTTP answer. */
  readonly wantsCloseCodes: boolean;
}

export function readUpgrade(request: IncomingMessage, id: string, trustProxy: boolean): UpgradeRequest {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  return {
    id,
    method: request.method ?? 'GET',
    ip: clientAddress(request, trustProxy),
    path: mark < 0 ? url : url.slice(0, mark),
    query,
    headers: request.headers,
    wantsCloseCodes: query.get('close_codes') === '1',
  };
}

/** Throws 400 for what neither all doors nor this one take in the URL. */
export function refuseUnknownQuery({ query }: UpgradeRequest, { document }: SocketDoor): void {
  if (query.size === 0) return;
  refuseUnknownParameters(query.keys(), new Set([...Object.keys(UPGRADE_QUERY), ...Object.keys(document.query)]));
}

/** Whether the server is to send what was missed by itself. Throws 400 for a word that means nothing. */
export function syncsByItself({ query }: UpgradeRequest): boolean {
  const mode = query.get('sync') ?? 'auto';
  if (mode !== 'auto' && mode !== 'manual') throw invalid('sync', 'sync must be one of auto, manual');
  return mode === 'auto';
}

/** What an upgrade is to be judged by: a ticket, or headers as a REST call would have them. */
export interface UpgradeCredential {
  readonly ticket: string | undefined;
  readonly headers: CredentialHeaders;
}

/**
 * Finds the credential that counts. A Bearer token wins over a key, a header over the URL.
 * Throws 401 for a key in the URL where that is not allowed.
 */
export function credentialOf(request: UpgradeRequest, allowKeyInQuery: boolean): UpgradeCredential {
  const { headers, query } = request;
  const origin = headers.origin;
  const user = headers['x-user-id'] ?? query.get('user_id') ?? undefined;
  const isBearer = /^Bearer( |$)/i.test(headers.authorization ?? '');
  if (isBearer) {
    const ticket = BEARER_TICKET.exec(headers.authorization ?? '')?.[1];
    return { ticket, headers: { authorization: headers.authorization, origin } };
  }
  const token = query.get('token');
  if (token !== null && token !== '') {
    const ticket = token.startsWith(TICKET_PREFIX) ? token : undefined;
    return { ticket, headers: { authorization: `Bearer ${token}`, origin } };
  }
  const key = headers['x-api-key'];
  if (key !== undefined) return { ticket: undefined, headers: { 'x-api-key': key, 'x-user-id': user, origin } };
  const keyInQuery = query.get('api_key');
  if (keyInQuery === null) return { ticket: undefined, headers: { authorization: headers.authorization, origin } };
  if (!allowKeyInQuery)
    throw unauthenticated('This server takes no API key in the URL: send headers, a token or a ticket');
  return { ticket: undefined, headers: { 'x-api-key': keyInQuery, 'x-user-id': user, origin } };
}

/** A token acts as its user and nobody else, also where the URL names one. Throws 403. */
export function refuseOtherUser(request: UpgradeRequest, caller: Caller): void {
  const named = request.query.get('user_id');
  if (caller.kind === 'token' && named !== null && named !== caller.userId)
    throw forbidden('A user token acts as its own user only; leave user_id out');
}
