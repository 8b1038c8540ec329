import { Injectable } from '@nestjs/common';
import { unauthenticated } from '../../common/errors';
import { RuntimeConfig, SocketConfig } from '../../config';
import { Authenticator, type Caller, CredentialVerifier, Tickets } from '../../platform/auth';
import { Epoch } from '../../platform/database';
import type { SocketDoor } from '../feed/ports';
import { Connections } from './connections';
import {
  credentialOf,
  refuseOtherUser,
  refuseUnknownQuery,
  syncsByItself,
  type UpgradeRequest,
} from './upgrade-request';

/** What an upgrade that passed is accepted with. */
export interface Admission {
  readonly caller: Caller;
  readonly epoch: number;
  readonly syncsByItself: boolean;
}

/** Decides whether an upgrade becomes a connection, and whose. */
@Injectable()
export class UpgradeChecks {
  private readonly authenticator: Authenticator;
  private readonly allowKeyInQuery: boolean;

  constructor(
    verifier: CredentialVerifier,
    private readonly tickets: Tickets,
    private readonly connections: Connections,
    private readonly epoch: Epoch,
    socket: SocketConfig,
    runtime: RuntimeConfig,
  ) {
    this.authenticator = new Authenticator(verifier);
    this.allowKeyInQuery = socket.allowApiKeyInQuery ?? runtime.nodeEnv !== 'production';
  }

  /** Throws 401 for a credential that is surely bad; see `Authenticator.vet`. */
  vet(request: UpgradeRequest, door: SocketDoor): void | Promise<void> {
    const { ticket, headers } = credentialOf(request, this.allowKeyInQuery);
    if (ticket !== undefined) return this.authenticator.vetTicket(ticket, request);
    return this.authenticator.vet(headers, door.access, request);
  }

  /** Throws 400, 401, 403, 404, 429 or 503. */
  async check(request: UpgradeRequest, door: SocketDoor): Promise<Admission> {
    const { ticket, headers } = credentialOf(request, this.allowKeyInQuery);
    const identity = await (ticket === undefined
      ? this.authenticator.identify(headers, door.access, request)
      : this.authenticator.identifyTicket(ticket));
    const credited = this.authenticator.authorise(identity, headers, door.access, request.id);
    refuseOtherUser(request, credited);
    refuseUnknownQuery(request, door);
    const isSynced = syncsByItself(request);
    this.connections.admit(credited, door);
    const caller = (await door.enter?.(request, credited)) ?? credited;
    const epoch = await this.epoch.read();
    // Last, so that what is refused for another reason leaves the ticket good.
    const used = identity.kind === 'token' ? identity.ticket : undefined;
    // The table of used tickets comes back with a backup: of an earlier epoch nobody knows which ones were used.
    if (used !== undefined && used.epoch !== epoch)
      throw unauthenticated('This ticket is older than a restored backup: get a new one from POST /ws/token');
    if (used !== undefined && !(await this.tickets.redeem(used)))
      throw unauthenticated('This ticket was used before: get a new one from POST /ws/token');
    if (caller.endsAtMs !== undefined && caller.endsAtMs <= Date.now()) throw unauthenticated('Expired credential');
    return { caller, epoch, syncsByItself: isSynced };
  }
}
