import { Inject, Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { randomUUID } from 'node:crypto';
import { isUuid } from '../../common/ids';
import { Secrets } from '../../platform/secrets';
import { TicketsRepository, type UsedTicket } from './tickets.repository';

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
    @Inject(Secrets) private readonly secrets: Pick<Secrets, 'jwtSecret'>,
    @Inject(TicketsRepository) private readonly tickets: Pick<TicketsRepository, 'redeem' | 'timeline'>,
  ) {}

  sign({ tenantId, file }: FileGrant): string {
    const claims = { sub: file, tid: tenantId, use: USE, jti: randomUUID(), ...this.madeAt() };
    const options = { algorithm: 'HS256', expiresIn: FILE_TICKET_SECONDS } as const;
    return PREFIX + jwt.sign(claims, this.secrets.jwtSecret, options);
  }

  /** Uses a ticket up; undefined: it is no good, or was used. @throws 503 */
  async redeem(ticket: string): Promise<FileGrant | undefined> {
    const claims = ticket.startsWith(PREFIX) ? this.read(ticket.slice(PREFIX.length)) : undefined;
    if (claims === undefined) return undefined;
    const { grant, ...used } = claims;
    const isFirst = await this.tickets.redeem({ tenant: grant, ...used });
    return isFirst ? grant : undefined;
  }

  private madeAt(): { readonly tl?: number } {
    const { timeline } = this.tickets;
    return timeline === undefined ? {} : { tl: timeline };
  }

  private read(token: string): (Omit<UsedTicket, 'tenant'> & { readonly grant: FileGrant }) | undefined {
    try {
      const claims = jwt.verify(token, this.secrets.jwtSecret, { algorithms: ['HS256'] });
      if (typeof claims === 'string') return undefined;
      const { sub, jti, exp } = claims;
      const tid: unknown = claims['tid'];
      const tl: unknown = claims['tl'];
      if (claims['use'] !== USE || sub === undefined || jti === undefined || exp === undefined) return undefined;
      // The signature says who made it, not that it is well made.
      if (typeof tid !== 'string' || !isUuid(tid) || !isUuid(jti)) return undefined;
      const timeline = typeof tl === 'number' ? tl : undefined;
      return { grant: { tenantId: tid, file: sub }, ticketId: jti, usableUntilMs: exp * 1000, timeline };
    } catch {
      return undefined;
    }
  }
}
