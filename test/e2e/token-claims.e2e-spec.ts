import type { TestTenant } from '../support/app';
import { bearer, claimsOf, JWT_SECRET, mintToken, signed } from '../support/auth';
import type { Api } from '../support/http/api';
import { refusal } from '../support/rooms';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';
import { WsClient } from '../support/ws/client';

const UUID = '01900000-0000-7000-8000-0000000000a0';
/** What is no id, no user and no moment; null stands for what JSON cannot say otherwise. */
const WRONG_FOR_ALL: readonly unknown[] = [
  ...[null, true, false, [], {}, [UUID], { toString: UUID }, { $eq: UUID }, [[]]],
  ...['', ' ', '\0', 'a\0b', '\ud800', 'x'.repeat(100_000).slice(0, 4000), 'é', 'a b'],
];
const NUMBERS = [0, -1, 1.5, 1e300, -1e300, 2 ** 53];
const NO_IDS = ['x', 'null', 'undefined', "'; DROP TABLE users; --", UUID.toUpperCase(), `{${UUID}}`, `${UUID}x`];
const NO_MOMENTS = ['0', '9999999999', 'Infinity', '2100-01-01', 1e300, 1e17, -1e300];

/** By claim, values of another form than ours. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  sub: [...WRONG_FOR_ALL, ...NUMBERS, 'x'.repeat(129), 'a,b', 'agent_x'],
  tid: [...WRONG_FOR_ALL, ...NUMBERS, ...NO_IDS],
  kid: [...WRONG_FOR_ALL, ...NUMBERS, ...NO_IDS],
  jti: [...WRONG_FOR_ALL, ...NUMBERS, ...NO_IDS],
  use: [...WRONG_FOR_ALL, ...NUMBERS, 'User', 'admin'],
  exp: [...WRONG_FOR_ALL, ...NO_MOMENTS, 0, -1],
  iat: [...WRONG_FOR_ALL, ...NO_MOMENTS, -1],
  nbf: [...WRONG_FOR_ALL, '0', 'x'],
  end: [...WRONG_FOR_ALL, ...NO_MOMENTS, -1],
};
const CASES = Object.entries(WRONG).map(([claim, values]) => [claim, values] as const);
const NO_CLAIMS: readonly unknown[] = [null, [], [1], 'text', 5, true, {}, { sub: 'alice' }];
const UNAUTHENTICATED = { status: 401, code: 'AUTHENTICATION_ERROR' };

describe('S33: tokens with the right secret and malformed claims', () => {
  let app: SocketApp;
  let tenant: TestTenant;
  let user: Readonly<Record<string, unknown>>;
  let ticket: Readonly<Record<string, unknown>>;

  beforeAll(async () => {
    app = await startSocketApp({ env: { JWT_SECRET, TRUST_PROXY: 'true' } });
    tenant = await app.tenant();
    user = claimsOf((await mintToken(tenant.key, 'alice')).token);
    const { body } = await tenant.as('alice').post<{ token: string }>('/ws/token');
    ticket = claimsOf(body.token);
  });
  afterAll(() => app.close());

  let calls = 0;
  /** An address of its own for every call: failures of one address are counted. */
  const elsewhere = (): Record<string, string> => {
    calls++;
    return { 'x-forwarded-for': `10.0.${calls >> 8}.${calls & 255}` };
  };
  const asBearer = (token: string): Api => bearer(app.anonymous.with(elsewhere()), token);
  const onSocket = async (token: string): Promise<unknown> => {
    const { status, body } = await WsClient.refused(app.url, { query: { token }, headers: elsewhere() });
    return { status, code: body.error['code'] };
  };

  it('well-formed ones signed the same way are good', async () => {
    expect((await asBearer(signed({ ...user, end: undefined })).get('/rooms')).status).toBe(200);
    const client = await WsClient.connect(app.url, { query: { token: `wst_${signed(ticket)}` } });
    await client.close();
  });

  it.each(CASES)('S33: %s of a user token is 401 in every wrong form', async (claim, values) => {
    for (const value of values) {
      const token = signed({ ...user, [claim]: value });
      const shown = JSON.stringify(value).slice(0, 80);
      const answer = await asBearer(token).get('/rooms');
      expect({ shown, ...refusal(answer) }).toEqual({ shown, ...UNAUTHENTICATED });
    }
  });

  it.each(CASES)('S33: %s of a ticket is 401 in every wrong form', async (claim, values) => {
    for (const value of values) {
      const shown = JSON.stringify(value).slice(0, 80);
      const answer = await onSocket(`wst_${signed({ ...ticket, jti: crypto.randomUUID(), [claim]: value })}`);
      expect({ shown, answer }).toEqual({ shown, answer: UNAUTHENTICATED });
    }
  });

  it.each(NO_CLAIMS.map((payload) => ({ payload })))(
    'S33: $payload, no object of claims, is 401',
    async ({ payload }) => {
      expect(refusal(await asBearer(signed(payload)).get('/rooms'))).toEqual(UNAUTHENTICATED);
      expect(await onSocket(signed(payload))).toEqual(UNAUTHENTICATED);
      expect(await onSocket(`wst_${signed(payload)}`)).toEqual(UNAUTHENTICATED);
    },
  );

  it.each([null, 5, [], ['HS256'], {}, 'none', 'hs256', ''].map((alg) => ({ alg })))(
    'S33: a header with alg $alg is 401',
    async ({ alg }) => {
      expect(refusal(await asBearer(signed(user, { alg, typ: 'JWT' })).get('/rooms'))).toEqual(UNAUTHENTICATED);
    },
  );
});
