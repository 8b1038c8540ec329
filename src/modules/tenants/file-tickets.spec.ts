import jwt from 'jsonwebtoken';
import { FILE_TICKET_SECONDS, FileTickets } from './file-tickets';
import type { UsedTicket } from './tickets.repository';

const TENANT = '01900000-0000-7000-8000-000000000001';
const SECRET = 'j'.repeat(32);
const GRANT = { tenantId: TENANT, file: 'a file' };

describe('tickets for files', () => {
  let tickets: FileTickets;
  const used = new Set<string>();
  let timeline: number | undefined;
  const redeem = (ticket: UsedTicket): Promise<boolean> => {
    const isFirst = !used.has(ticket.ticketId);
    used.add(ticket.ticketId);
    return Promise.resolve(isFirst && ticket.timeline === timeline);
  };

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_700_000_000_000, doNotFake: ['nextTick', 'setImmediate'] });
    timeline = undefined;
    const timelineOfNow = {
      redeem,
      get timeline(): number | undefined {
        return timeline;
      },
    };
    tickets = new FileTickets({ jwtSecret: SECRET }, timelineOfNow);
  });
  afterEach(() => jest.useRealTimers());

  it('open what they were made for, once', async () => {
    const ticket = tickets.sign(GRANT);
    expect(await tickets.redeem(ticket)).toEqual(GRANT);
    expect(await tickets.redeem(ticket)).toBeUndefined();
  });

  it('open nothing after a minute', async () => {
    const [first, second] = [tickets.sign(GRANT), tickets.sign(GRANT)];
    jest.advanceTimersByTime((FILE_TICKET_SECONDS - 1) * 1000);
    expect(await tickets.redeem(first)).toEqual(GRANT);
    jest.advanceTimersByTime(1000);
    expect(await tickets.redeem(second)).toBeUndefined();
  });

  it('open nothing on another timeline of the database than the one on which they were made', async () => {
    const unwatched = tickets.sign(GRANT);
    timeline = 1;
    expect(await tickets.redeem(unwatched)).toBeUndefined();
    const [first, second] = [tickets.sign(GRANT), tickets.sign(GRANT)];
    expect(await tickets.redeem(first)).toEqual(GRANT);
    timeline = 2;
    expect(await tickets.redeem(second)).toBeUndefined();
  });

  const signed = (claims: object, secret = SECRET, algorithm: jwt.Algorithm = 'HS256'): string =>
    `ft_${jwt.sign({ sub: 'a file', tid: TENANT, use: 'file', jti: TENANT, ...claims }, secret, { algorithm, expiresIn: 60 })}`;

  it.each([
    ['of another use', signed({ use: 'user' })],
    ['of no tenant', signed({ tid: 'x' })],
    ['without a number', signed({ jti: 'x' })],
    ['signed by another', signed({}, 'k'.repeat(32))],
    ['signed otherwise', signed({}, SECRET, 'HS384')],
    ['without its prefix', signed({}).slice(3)],
    ['that is nothing', 'ft_'],
  ])('that is one %s opens nothing', async (_, ticket) => {
    expect(await tickets.redeem(ticket)).toBeUndefined();
    expect(await tickets.redeem(signed({ jti: '01900000-0000-7000-8000-00000000000f' }))).toEqual(GRANT);
    used.delete('01900000-0000-7000-8000-00000000000f');
  });
});
