import { createHash } from 'node:crypto';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Api, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { createKey, keysPath, listKeys, type NewKeyBody, uuidOf, withKey } from '../support/tenants';

const KEY_FIELDS = ['created_at', 'expires_at', 'key_id', 'last_used_at', 'name', 'prefix', 'revoked_at', 'scopes'];

describe('API keys', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let usedKey: NewKeyBody;
  let usedBetween: [number, number];

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    usedKey = await createKey(app, tenant);
    const before = Date.now();
    await works(usedKey.api_key);
    usedBetween = [before, Date.now()];
  });
  afterAll(() => app.close());

  const works = async (apiKey: string): Promise<number> => (await withKey(app, apiKey).get('/rooms')).status;
  const moveExpiry = (keyId: string, to: string): Promise<object[]> =>
    app.database.sql(`UPDATE api_keys SET expires_at = ${to}, updated_at = clock_timestamp() WHERE key_id = $1`, [
      uuidOf(keyId),
    ]);
  const rotate = async (keyId: string, body: object = {}, by: Api = app.master): Promise<NewKeyBody> => {
    const answer = await by.post<NewKeyBody>(`${keysPath(tenant)}/${keyId}/rotate`, body);
    expect(answer.status).toBe(201);
    return answer.body;
  };

  describe('create', () => {
    it('answers 201 with the key, once; scopes are ["chat"] unless said', async () => {
      const key = await createKey(app, tenant, { name: 'backend' });
      expect(Object.keys(key).sort()).toEqual(['api_key', ...KEY_FIELDS]);
      expect(key).toMatchObject({
        key_id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
        name: 'backend',
        scopes: ['chat'],
        expires_at: null,
        last_used_at: null,
        revoked_at: null,
      });
      expect(key.api_key).toMatch(/^chatapi_[0-9A-Za-z]{38}$/);
      expect(key.api_key.startsWith(key.prefix)).toBe(true);
      expect(await works(key.api_key)).toBe(200);
      const listed = (await listKeys(app, tenant)).find((k) => k.key_id === key.key_id);
      expect(Object.keys(listed ?? {}).sort()).toEqual(KEY_FIELDS);
      expect(JSON.stringify(listed)).not.toContain(key.api_key);
    });

    it.each([[['admin']], [['chat', 'admin']]])('takes the scopes %j', async (scopes) => {
      expect((await createKey(app, tenant, { scopes })).scopes).toEqual(scopes);
    });

    it.each([
      ['scopes', []],
      ['scopes', ['root']],
      ['scopes', ['chat', 'chat']],
      ['scopes', 'chat'],
      ['name', undefined],
      ['name', ''],
      ['name', 'x'.repeat(201)],
      ['name', 'a\u0000b'],
      ['expires_at', 'tomorrow'],
      ['expires_at', '2020-01-01T00:00:00Z'],
      ['expires_at', '2099-01-01'],
      ['expires_at', '2099-01-01T00:00:00'],
      ['expires_at', '2099-13-01T00:00:00Z'],
      ['expires_at', 4_102_444_800_000],
    ])('refuses %s %j and names the field', async (field, value) => {
      const answer = await app.master.post(keysPath(tenant), { name: 'x', [field]: value });
      expect(answer.status).toBe(400);
      expect(errorOf(answer).field).toMatch(new RegExp(`^${field}`));
    });

    it('counts the name in code points', async () => {
      expect((await createKey(app, tenant, { name: '😀'.repeat(200) })).name).toBe('😀'.repeat(200));
    });

    it.each([
      ['2099-06-01T12:00:00+02:00', '2099-06-01T10:00:00.000Z'],
      ['2099-06-01T12:00:00.123456Z', '2099-06-01T12:00:00.123Z'],
      ['2099-06-01T12:00Z', '2099-06-01T12:00:00.000Z'],
      ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
    ])('reads expires_at %s', async (given, shown) => {
      expect((await createKey(app, tenant, { expires_at: given })).expires_at).toBe(shown);
    });

    it('never answers 5xx to a day that no calendar has', async () => {
      const answer = await app.master.post(keysPath(tenant), { name: 'x', expires_at: '2099-02-30T00:00:00Z' });
      expect([201, 400]).toContain(answer.status);
    });
  });

  describe('at rest', () => {
    it('only the SHA-256 of a key is stored, and nothing else of it beyond the shown prefix', async () => {
      const { api_key, key_id, prefix } = await createKey(app, tenant);
      const rows = await app.database.sql<{ hash: Buffer; row: string }>(
        'SELECT hash, to_jsonb(k)::text AS row FROM api_keys k WHERE key_id = $1',
        [uuidOf(key_id)],
      );
      expect(rows[0]?.hash).toEqual(createHash('sha256').update(api_key).digest());
      expect(rows[0]?.row).not.toContain(api_key);
      expect(rows[0]?.row).not.toContain(api_key.slice(prefix.length, prefix.length + 8));
      expect(rows[0]?.row).not.toContain(Buffer.from(api_key).toString('hex'));
      expect(api_key.length - prefix.length).toBeGreaterThanOrEqual(32);
    });
  });

  describe('list', () => {
    it('is a page, oldest first, revoked keys included', async () => {
      const own = await app.tenant();
      const made = [await createKey(app, own, { name: 'two' }), await createKey(app, own, { name: 'three' })];
      await app.master.delete(`${keysPath(own)}/${made[0]?.key_id ?? ''}`);
      const { body } = await app.master.get<{ keys: { name: string; revoked_at: string | null }[] }>(keysPath(own));
      expect(body.keys.map((key) => [key.name, key.revoked_at !== null])).toEqual([
        ['first key', false],
        ['two', true],
        ['three', false],
      ]);
      const page = await app.master.get(`${keysPath(own)}?limit=1&offset=1`);
      expect(page.body).toMatchObject({ keys: [{ name: 'two' }], total: 3, limit: 1, offset: 1, has_more: true });
    });

    it.each(['limit=0', 'limit=101', 'offset=-1', 'limit=x'])('refuses ?%s', async (query) => {
      expect((await app.master.get(`${keysPath(tenant)}?${query}`)).status).toBe(400);
    });
  });

  describe('rotate', () => {
    it('gives a new key with the same name and scopes; the old one works for an hour by default', async () => {
      const old = await createKey(app, tenant, { name: 'r', scopes: ['chat', 'admin'] });
      const before = Date.now();
      const next = await rotate(old.key_id);
      expect(next).toMatchObject({ name: 'r', scopes: ['chat', 'admin'], expires_at: null, revoked_at: null });
      expect([next.key_id === old.key_id, next.api_key === old.api_key]).toEqual([false, false]);
      expect([await works(old.api_key), await works(next.api_key)]).toEqual([200, 200]);
      const listed = (await listKeys(app, tenant)).find((key) => key.key_id === old.key_id);
      const overlap = new Date(listed?.expires_at ?? 0).getTime() - before;
      expect(Math.abs(overlap - 3_600_000)).toBeLessThan(30_000);
    });

    it('ends the old key at once with overlap_seconds 0', async () => {
      const old = await createKey(app, tenant);
      const next = await rotate(old.key_id, { overlap_seconds: 0 });
      expect([await works(old.api_key), await works(next.api_key)]).toEqual([401, 200]);
    });

    it('ends the old key, and its tokens, when the overlap is over', async () => {
      const old = await createKey(app, tenant);
      const token = bearer(app.anonymous, (await mintToken(withKey(app, old.api_key), 'alice')).token);
      const next = await rotate(old.key_id, { overlap_seconds: 60 });
      expect([await works(old.api_key), (await token.get('/rooms')).status]).toEqual([200, 200]);
      await moveExpiry(old.key_id, 'clock_timestamp()');
      await until(
        () => works(old.api_key),
        (status) => status === 401,
      );
      await until(
        async () => (await token.get('/rooms')).status,
        (status) => status === 401,
      );
      expect(await works(next.api_key)).toBe(200);
    });

    it('never lengthens a life, and hands the expiry on', async () => {
      const expires_at = new Date(Date.now() + 60_000).toISOString();
      const old = await createKey(app, tenant, { expires_at });
      const next = await rotate(old.key_id, { overlap_seconds: 3600 });
      const listed = (await listKeys(app, tenant)).find((key) => key.key_id === old.key_id);
      expect([listed?.expires_at, next.expires_at]).toEqual([expires_at, expires_at]);
    });

    it.each([-1, 2_592_001, 1.5, '60'])('refuses overlap_seconds %j', async (overlap_seconds) => {
      const key = await createKey(app, tenant);
      const answer = await app.master.post(`${keysPath(tenant)}/${key.key_id}/rotate`, { overlap_seconds });
      expect([answer.status, errorOf(answer).field]).toEqual([400, 'overlap_seconds']);
    });

    it('needs a key that lives: revoked, expired and unknown ones are not found', async () => {
      const revoked = await createKey(app, tenant);
      await app.master.delete(`${keysPath(tenant)}/${revoked.key_id}`);
      const expired = await createKey(app, tenant);
      await moveExpiry(expired.key_id, 'clock_timestamp()');
      for (const id of [revoked.key_id, expired.key_id, `key_${'0'.repeat(32)}`, 'key_x', tenant.tenantId]) {
        const answer = await app.master.post(`${keysPath(tenant)}/${id}/rotate`, {});
        expect([answer.status, errorOf(answer).message]).toEqual([404, 'Key not found']);
      }
    });

    it('by an admin key of itself works', async () => {
      const old = await createKey(app, tenant, { scopes: ['chat', 'admin'] });
      const next = await rotate(old.key_id, { overlap_seconds: 0 }, withKey(app, old.api_key));
      expect([await works(old.api_key), await works(next.api_key)]).toEqual([401, 200]);
    });
  });

  describe('revoke', () => {
    it('ends the key at once; again changes nothing', async () => {
      const key = await createKey(app, tenant);
      expect(await works(key.api_key)).toBe(200);
      const path = `${keysPath(tenant)}/${key.key_id}`;
      expect((await app.master.delete(path)).status).toBe(204);
      expect(await works(key.api_key)).toBe(401);
      const first = (await listKeys(app, tenant)).find((k) => k.key_id === key.key_id);
      expect((await app.master.delete(path)).status).toBe(204);
      const second = (await listKeys(app, tenant)).find((k) => k.key_id === key.key_id);
      expect(first?.revoked_at).toEqual(expect.any(String));
      expect(second).toEqual(first);
    });

    it('of an unknown key is 404', async () => {
      expect((await app.master.delete(`${keysPath(tenant)}/key_${'0'.repeat(32)}`)).status).toBe(404);
    });

    it('of the key that calls is its last call', async () => {
      const key = await createKey(app, tenant, { scopes: ['chat', 'admin'] });
      expect((await withKey(app, key.api_key).delete(`${keysPath(tenant)}/${key.key_id}`)).status).toBe(204);
      expect(await works(key.api_key)).toBe(401);
    });
  });

  describe('a change that another server makes', () => {
    /** Changes the key's row behind the server's back. */
    const inForce = async (change: string, status: number): Promise<void> => {
      const key = await createKey(app, tenant);
      expect(await works(key.api_key)).toBe(200);
      await app.database.sql(`UPDATE api_keys SET ${change} WHERE key_id = $1`, [uuidOf(key.key_id)]);
      await until(
        () => works(key.api_key),
        (answer) => answer === status,
      );
    };
    const suspended = async (): Promise<void> => {
      const own = await app.tenant();
      expect((await own.as('alice').get('/rooms')).status).toBe(200);
      await app.database.sql(`UPDATE tenants SET status = 'suspended' WHERE tenant_id = $1`, [uuidOf(own.tenantId)]);
      await until(
        async () => (await own.as('alice').get('/rooms')).status,
        (status) => status === 403,
      );
    };

    it('is in force within 5 s: revoked, expired, other scopes, tenant suspended', async () => {
      await Promise.all([
        inForce('revoked_at = clock_timestamp()', 401),
        inForce('expires_at = clock_timestamp()', 401),
        inForce(`scopes = '{admin}'`, 403),
        suspended(),
      ]);
    });
  });

  describe('an admin key', () => {
    it('manages the keys of its own tenant and finds no others', async () => {
      const other = await app.tenant();
      const mine = await createKey(app, tenant, {}, tenant.key);
      expect((await tenant.key.get(keysPath(tenant))).status).toBe(200);
      expect((await tenant.key.delete(`${keysPath(tenant)}/${mine.key_id}`)).status).toBe(204);
      const theirs = (await listKeys(app, other))[0]?.key_id ?? '';
      for (const answer of [
        await tenant.key.get(keysPath(other)),
        await tenant.key.post(keysPath(other), { name: 'x' }),
        await tenant.key.delete(`${keysPath(other)}/${theirs}`),
      ])
        expect([answer.status, errorOf(answer).message]).toEqual([404, 'Tenant not found']);
      expect((await tenant.key.delete(`${keysPath(tenant)}/${theirs}`)).status).toBe(404);
      expect(await works(other.apiKey)).toBe(200);
    });

    it('may not give what it does not have: a chat key cannot make keys', async () => {
      const chat = await createKey(app, tenant);
      expect((await withKey(app, chat.api_key).post(keysPath(tenant), { name: 'x' })).status).toBe(403);
    });
  });

  // The last test: the use was noted at the beginning, so most of the seconds have passed.
  it('shows when a key was last used, within seconds', async () => {
    const lastUse = async (): Promise<string | null | undefined> =>
      (await listKeys(app, tenant)).find((k) => k.key_id === usedKey.key_id)?.last_used_at;
    const shown = await until(lastUse, (at) => typeof at === 'string');
    const at = new Date(shown ?? 0).getTime();
    expect(at).toBeGreaterThanOrEqual(usedBetween[0]);
    expect(at).toBeLessThanOrEqual(usedBetween[1]);
  });
});
