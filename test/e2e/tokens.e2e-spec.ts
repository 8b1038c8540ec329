import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, claimsOf, forgeries, JWT_SECRET, mintToken } from '../support/auth';
import { errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { createKey, keysPath, uuidOf, withKey } from '../support/tenants';

describe('user tokens and socket tickets', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp({ env: { JWT_SECRET } });
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  describe('POST /tokens', () => {
    it('answers 201 with a token that lives 15 minutes by default', async () => {
      const minted = await mintToken(tenant.key, 'alice');
      expect(minted).toEqual({
        token: expect.any(String),
        user_id: 'alice',
        expires_in: 900,
        expires_at: expect.any(String),
      });
      const { iat = 0, exp = 0, sub } = claimsOf(minted.token);
      expect([exp - iat, sub]).toEqual([900, 'alice']);
      expect(new Date(minted.expires_at).getTime()).toBe(exp * 1000);
      expect((await bearer(app.anonymous, minted.token).get('/rooms')).status).toBe(200);
    });

    it.each([1, 3600])('takes expires_in %d', async (seconds) => {
      const { expires_in, token } = await mintToken(tenant.key, 'alice', seconds);
      const { iat = 0, exp = 0 } = claimsOf(token);
      expect([expires_in, exp - iat]).toEqual([seconds, seconds]);
    });

    it.each([0, -1, 3601, 1.5, '900', 1e300, true])('refuses expires_in %j', async (value) => {
      const answer = await tenant.key.post('/tokens', { user_id: 'alice', expires_in: value });
      expect([answer.status, errorOf(answer).field]).toEqual([400, 'expires_in']);
    });

    it('takes null for the default', async () => {
      const { body } = await tenant.key.post('/tokens', { user_id: 'alice', expires_in: null });
      expect(body['expires_in']).toBe(900);
    });

    it.each([undefined, '', 'a b', 'agent_x', 7, 'x'.repeat(129)])('refuses the user id %j', async (user_id) => {
      const answer = await tenant.key.post('/tokens', { user_id });
      expect([answer.status, errorOf(answer).field]).toEqual([400, 'user_id']);
    });

    it('makes the user, and ignores the user of the call', async () => {
      expect(claimsOf((await mintToken(tenant.as('alice'), 'newcomer')).token).sub).toBe('newcomer');
      const rows = await app.database.sql('SELECT 1 FROM users WHERE tenant_id = $1 AND user_id = $2', [
        uuidOf(tenant.tenantId),
        'newcomer',
      ]);
      expect(rows).toHaveLength(1);
    });

    it('holds no secret of the tenant', async () => {
      const { token } = await mintToken(tenant.key, 'alice');
      expect(JSON.stringify(claimsOf(token))).not.toContain(tenant.apiKey);
    });
  });

  describe('a bad token', () => {
    it('is refused, however it is made', async () => {
      const { token } = await mintToken(tenant.key, 'alice');
      const outcomes: Record<string, unknown> = {};
      const forged = forgeries(token);
      for (const [name, value] of Object.entries(forged)) {
        const answer = await bearer(app.anonymous, value).get('/rooms');
        outcomes[name] = [answer.status, errorOf(answer).message];
      }
      const refusal = [401, 'Invalid or expired token'];
      expect(outcomes).toEqual(Object.fromEntries(Object.keys(forged).map((name) => [name, refusal])));
      expect((await bearer(app.anonymous, token).get('/rooms')).status).toBe(200);
    });

    it('may be a good one that has expired', async () => {
      const { token } = await mintToken(tenant.key, 'alice', 1);
      const client = bearer(app.anonymous, token);
      await until(
        async () => (await client.get('/rooms')).status,
        (status) => status === 401,
      );
    });
  });

  describe('a token dies with the key that minted it', () => {
    it('at once when the key is revoked, also when it was in use', async () => {
      const key = await createKey(app, tenant);
      const client = bearer(app.anonymous, (await mintToken(withKey(app, key.api_key), 'alice')).token);
      const other = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
      expect((await client.get('/rooms')).status).toBe(200);
      await app.master.delete(`${keysPath(tenant)}/${key.key_id}`);
      expect((await client.get('/rooms')).status).toBe(401);
      expect((await other.get('/rooms')).status).toBe(200);
    });

    it('within 5 s when another server revokes or expires the key', async () => {
      const dies = async (change: string): Promise<void> => {
        const key = await createKey(app, tenant);
        const client = bearer(app.anonymous, (await mintToken(withKey(app, key.api_key), 'alice')).token);
        expect((await client.get('/rooms')).status).toBe(200);
        await app.database.sql(`UPDATE api_keys SET ${change} WHERE key_id = $1`, [uuidOf(key.key_id)]);
        await until(
          async () => (await client.get('/rooms')).status,
          (status) => status === 401,
        );
      };
      await Promise.all([dies('revoked_at = clock_timestamp()'), dies('expires_at = clock_timestamp()')]);
    });
  });

  describe('POST /ws/token', () => {
    it('answers 200 with a ticket for 60 seconds, to a key and to a token', async () => {
      const clients = [tenant.as('alice'), bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token)];
      for (const client of clients) {
        const answer = await client.post<{ token: string }>('/ws/token');
        expect([answer.status, answer.body]).toEqual([200, { token: expect.stringMatching(/^wst_/), expires_in: 60 }]);
        const { iat = 0, exp = 0, sub, jti } = claimsOf(answer.body.token);
        expect([exp - iat, sub, typeof jti]).toEqual([60, 'alice', 'string']);
      }
    });

    it('makes a new ticket each time, also with an Idempotency-Key', async () => {
      const client = tenant.as('alice').with({ 'idempotency-key': 'same' });
      const tickets = [await client.post('/ws/token'), await client.post('/ws/token')].map((a) => a.body['token']);
      expect(new Set(tickets).size).toBe(2);
    });

    it('needs a user', async () => {
      expect((await tenant.key.post('/ws/token')).status).toBe(401);
    });

    it('makes no user token: a ticket opens no REST route, with its prefix or without', async () => {
      const { body } = await tenant.as('alice').post<{ token: string }>('/ws/token');
      for (const token of [body.token, body.token.slice('wst_'.length)])
        expect((await bearer(app.anonymous, token).get('/rooms')).status).toBe(401);
    });
  });
});
