import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { randomUUID } from 'node:crypto';
import { isUuid } from '../../common/ids';
import { Secrets } from '../../platform/secrets';
import { TicketsRepository } from './tickets.repository';

/** Seconds that a ticket may be used. */
export const FILE_TICKET_SECONDS = 60;

const PREFIX = 'ft_';
const USE = 'file';

/** What a ticket opens: one file of a tenant, named as its maker likes. */
export interface FileGrant {
  /** UUID. */
  readonly tenantId: string;
  readonly file: string;
}

/**
 * Tickets for files: a browser that follows a link sends no header. Each opens one file, once, within 60 seconds; it is
 * signed as user tokens are, and good for nothing else.
 */
@Injectable()
export class FileTickets {
  constructor(
    private readonly secrets: Secrets,
    private readonly tickets: TicketsRepository,
  ) {}

  sign({ tenantId, file }: FileGrant): string {
    const claims = { sub: file, tid: tenantId, use: USE, jti: randomUUID() };
    const options = { algorithm: 'HS256', expiresIn: FILE_TICKET_SECONDS } as const;
    return PREFIX + jwt.sign(claims, this.secrets.jwtSecret, options);
  }

  /** Uses a ticket up; undefined: it is no good, or was used. @throws 503 */
  async redeem(ticket: string): Promise<FileGrant | undefined> {
    const claims = ticket.startsWith(PREFIX) ? this.read(ticket.slice(PREFIX.length)) : undefined;
    if (claims === undefined) return undefined;
    const { grant, ticketId, usableUntilMs } = claims;
    const isFirst = await this.tickets.redeem({ tenant: grant, ticketId, usableUntilMs });
    return isFirst ? grant : undefined;
  }

  private read(
    token: string,
  ): { readonly grant: FileGrant; readonly ticketId: string; readonly usableUntilMs: number } | undefined {
    try {
      const claims = jwt.verify(token, this.secrets.jwtSecret, { algorithms: ['HS256'] });
      if (typeof claims === 'string') return undefined;
      const { sub, jti, exp } = claims;
      const tid: unknown = claims['tid'];
      if (claims['use'] !== USE || sub === undefined || jti === undefined || exp === undefined) return undefined;
      // The signature says who made it, not that it is well made.
      if (typeof tid !== 'string' || !isUuid(tid) || !isUuid(jti)) return undefined;
      return { grant: { tenantId: tid, file: sub }, ticketId: jti, usableUntilMs: exp * 1000 };
    } catch {
      return undefined;
    }
  }
}
