import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { forbidden, invalid, unauthenticated } from '../../common/errors';
import { flat } from '../../common/text';
import { RuntimeConfig, SocketConfig } from '../../config';
import { Authenticator, type Caller, type CredentialHeaders, TICKET_PREFIX, Tickets } from '../../platform/auth';
import { Epoch } from '../../platform/database';
import { clientAddress, refuseUnknownParameters } from '../../platform/http';
import type { ConnectionOrigin } from './connection';
import { Connections, type Reservation } from './connections';
import type { SocketEndpoint, SocketRequest } from './endpoint';

/** Characters of a client's own name that are kept. */
const MAX_AGENT = 200;
const BEARER_TICKET = new RegExp(`^Bearer +(${TICKET_PREFIX}\\S+)$`, 'i');

const text = (description: string): object => ({ type: 'string', description });

/** What every upgrade may have in its URL, as AsyncAPI describes it; an endpoint has more of its own. */
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
  /** Refusals go over a socket, since a browser cannot read an HTTP answer. */
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

/** Throws 400 for what neither all endpoints nor this one take in the URL. */
function refuseUnknownQuery({ query }: UpgradeRequest, { document }: SocketEndpoint): void {
  if (query.size === 0) return;
  refuseUnknownParameters(query.keys(), new Set([...Object.keys(UPGRADE_QUERY), ...Object.keys(document.query)]));
}

/** Whether the server is to send what was missed by itself. Throws 400 for a word that means nothing. */
function syncsByItself({ query }: UpgradeRequest): boolean {
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

/** A token acts as its own user alone, also where the URL names one. Throws 403. */
function refuseOtherUser(request: UpgradeRequest, caller: Caller): void {
  const named = request.query.get('user_id');
  if (caller.kind === 'token' && named !== null && named !== caller.userId)
    throw forbidden('A user token acts as its own user only; leave user_id out');
}

/** What an upgrade that passed is accepted with. */
export interface Admission {
  readonly caller: Caller;
  readonly origin: ConnectionOrigin;
  /** As it is when the connection is greeted: it may change between the check and that. */
  readonly epoch: () => number;
  readonly syncsByItself: boolean;
  /** To be released, unless a connection comes of it. */
  readonly place: Reservation;
}

/** Decides whether an upgrade becomes a connection, and whose. */
@Injectable()
export class UpgradeChecks {
  private readonly allowKeyInQuery: boolean;
  /** Clients are of a few kinds: their connections share the text. */
  private readonly agents = new LRUCache<string, string>({ max: 1000 });

  constructor(
    private readonly authenticator: Authenticator,
    private readonly tickets: Tickets,
    private readonly connections: Connections,
    private readonly epoch: Epoch,
    socket: SocketConfig,
    runtime: RuntimeConfig,
  ) {
    this.allowKeyInQuery = socket.allowApiKeyInQuery ?? runtime.nodeEnv !== 'production';
  }

  private originOf({ ip, headers }: UpgradeRequest): ConnectionOrigin {
    const sent = headers['user-agent']?.slice(0, MAX_AGENT) ?? null;
    if (sent === null) return { address: ip, agent: null };
    const agent = this.agents.get(sent) ?? flat(sent);
    this.agents.set(agent, agent);
    return { address: ip, agent };
  }

  /** Throws 401 for a credential that is surely bad; see `Authenticator.vet`. */
  vet(request: UpgradeRequest, endpoint: SocketEndpoint): void | Promise<void> {
    const { ticket, headers } = credentialOf(request, this.allowKeyInQuery);
    if (ticket !== undefined) return this.authenticator.vetTicket(ticket, request);
    return this.authenticator.vet(headers, endpoint.access, request);
  }

  /** Throws 400, 401, 403, 404, 429 or 503. */
  async check(request: UpgradeRequest, endpoint: SocketEndpoint): Promise<Admission> {
    const { ticket, headers } = credentialOf(request, this.allowKeyInQuery);
    const identity = await (ticket === undefined
      ? this.authenticator.identify(headers, endpoint.access, request)
      : this.authenticator.identifyTicket(ticket));
    const credited = this.authenticator.authorise(identity, headers, endpoint.access, request.id);
    refuseOtherUser(request, credited);
    refuseUnknownQuery(request, endpoint);
    const isSynced = syncsByItself(request);
    this.connections.admit(credited, endpoint);
    const caller = (await endpoint.enter?.(request, credited)) ?? credited;
    const place = await this.connections.reserve(caller, endpoint);
    try {
      const epoch = await this.epoch.readEpoch();
      // Last, so that what is refused for another reason leaves the ticket good.
      if (identity.kind === 'token' && identity.ticket !== undefined) await this.redeem(identity.ticket, epoch);
      if (caller.endsAtMs !== undefined && caller.endsAtMs <= Date.now()) throw unauthenticated('Expired credential');
      return { caller, epoch: () => this.epoch.known, syncsByItself: isSynced, origin: this.originOf(request), place };
    } catch (error) {
      place.release();
      throw error;
    }
  }

  /** Throws 401 for a ticket that is no good any more. */
  private async redeem(used: Parameters<Tickets['redeem']>[0], epoch: number): Promise<void> {
    // The table of used tickets comes back with a backup: of an earlier epoch it does not say which ones were used.
    if (used.epoch !== epoch)
      throw unauthenticated('This ticket is older than a restored backup: get a new one from POST /ws/token');
    // A promoted standby has that table empty.
    if (used.timeline !== this.epoch.timeline)
      throw unauthenticated('This ticket is older than a failover of the database: get a new one from POST /ws/token');
    if (!(await this.tickets.redeem(used)))
      throw unauthenticated('This ticket was used before: get a new one from POST /ws/token');
  }
}
