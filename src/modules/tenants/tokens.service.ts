import { Injectable } from '@nestjs/common';
import { unauthenticated } from '../../common/errors';
import type { Caller } from '../../platform/auth';
import { Epoch } from '../../platform/database';
import { type CreateTokenDto, DEFAULT_TOKEN_SECONDS, type TicketDto, type TokenCreatedDto } from './dto/token.dto';
import { TenantsRepository } from './tenants.repository';
import { TokenSigner } from './token-signer';

/** Seconds that a socket ticket may be used (contract §2). */
export const TICKET_SECONDS = 60;

/** User tokens for browsers and apps, and single-use tickets for sockets. */
@Injectable()
export class TokensService {
  constructor(
    private readonly signer: TokenSigner,
    private readonly repository: TenantsRepository,
    private readonly epoch: Epoch,
  ) {}

  /** Mints a token with which a browser acts as one user of the caller's tenant. */
  async create(caller: Caller, input: CreateTokenDto): Promise<TokenCreatedDto> {
    const seconds = input.expires_in ?? DEFAULT_TOKEN_SECONDS;
    await this.repository.ensureUsers(caller.tenantId, [input.user_id]);
    const claims = { tenantId: caller.tenantId, userId: input.user_id, keyId: keyOf(caller) };
    const { token, expiresAt } = this.signer.sign('user', claims, seconds);
    return { token, user_id: input.user_id, expires_in: seconds, expires_at: expiresAt.toISOString() };
  }

  /** Mints a ticket that opens one socket as the caller, as long as no backup is restored. */
  async ticket(caller: Caller): Promise<TicketDto> {
    const claims = {
      tenantId: caller.tenantId,
      userId: caller.userId,
      keyId: keyOf(caller),
      // A ticket must not prolong the token that it was made with; a key's own end is looked up when it is used.
      sessionEndsAtMs: caller.kind === 'token' ? caller.endsAtMs : undefined,
      epoch: await this.epoch.read(),
    };
    return { token: this.signer.sign('ticket', claims, TICKET_SECONDS).token, expires_in: TICKET_SECONDS };
  }
}

function keyOf(caller: Caller): string {
  if (caller.keyId === undefined) throw unauthenticated('An API key is required');
  return caller.keyId;
}
