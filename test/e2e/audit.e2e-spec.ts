import type { AuditAction } from '../../src/platform/audit';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { AUDITED, type AuditItem, CANARY } from '../support/audited-actions';
import { bearer, mintToken } from '../support/auth';
import { DEAD_LETTERS } from '../support/dead-letters';
import { type Answer, type Api, type Bodies, errorOf, metricOf } from '../support/http/api';
import { isReplay } from '../support/messages';
import { createChannel, createPreset } from '../support/models';
import { badField, bodyOf, createRoom, FORBIDDEN, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { createKey, keysPath, uuidOf, withKey } from '../support/tenants';

type Page = Bodies['AuditPageDto'];
type Verified = Bodies['VerifiedAuditDto'];

const AUDIT = '/admin/audit';
const ACTIONS = Object.keys(AUDITED) as AuditAction[];

describe('the audit log', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ env: { WEBHOOK_ALLOW_PRIVATE: 'true', CHANNEL_ALLOW_PRIVATE: 'true' } });
  });
  afterAll(async () => {
    // Whatever the tests above have called.
    expect(await metricOf(app.anonymous, 'chatapi_audit_missing_total')).toBe(0);
    await app.close();
  });

  const query = (tenantId: string, more: Readonly<Record<string, string>> = {}): string =>
    `${AUDIT}?${new URLSearchParams({ tenant_id: tenantId, ...more }).toString()}`;
  const page = async (tenantId: string, more: Readonly<Record<string, string>> = {}, by = app.master): Promise<Page> =>
    bodyOf(await by.get<Page>(query(tenantId, more)));
  const itemsOf = async (tenantId: string, more?: Readonly<Record<string, string>>): Promise<readonly AuditItem[]> =>
    (await page(tenantId, more)).items;
  const verify = async (tenantId: string, by = app.master): Promise<Verified> =>
    bodyOf(await by.get<Verified>(`${AUDIT}/verify?tenant_id=${tenantId}`));
  const actionsOf = async (tenant: TestTenant): Promise<string[]> =>
    (await itemsOf(tenant.tenantId, { limit: '100' })).map(({ action }) => action).reverse();

  describe('has one row', () => {
    it.each(ACTIONS)('of %s, with who, what, and the call', async (action) => {
      const tenant = await app.tenant();
      const { tenantId = tenant.tenantId, answer, shown } = await AUDITED[action]({ app, tenant });
      expect(answer.status).toBeLessThan(300);
      const items = await itemsOf(tenantId, { action });
      // What an action needs may be of the same kind: a webhook is set before it is another one.
      const [newest] = await itemsOf(tenantId, { limit: '1' });
      expect(newest).toEqual(items[0]);
      expect(newest).toMatchObject({
        action,
        request_id: answer.headers.get('x-request-id'),
        address: expect.stringMatching(/^(::ffff:)?127\.0\.0\.1$/),
        ...shown,
      });
      expect(items.filter(({ request_id }) => request_id === newest?.request_id)).toHaveLength(1);
      expect(Math.abs(Date.parse(newest?.at ?? '') - Date.now())).toBeLessThan(600_000);
      expect(await verify(tenantId)).toMatchObject({ holds: true, fault: null, next: null });
    });

    it('none of which holds a secret, a text of users, or the id of one', async () => {
      const rows = await app.database.sql<{ row: string }>('SELECT to_jsonb(l)::text AS row FROM audit_log l');
      expect(rows.length).toBeGreaterThan(ACTIONS.length);
      expect(rows.filter(({ row }) => /alice|bob|whsec_|chatapi_/.test(row) || row.includes(CANARY))).toEqual([]);
    });
  });

  describe('has none', () => {
    it('of what changed nothing', async () => {
      const tenant = await app.tenant();
      const { key_id } = await createKey(app, tenant);
      const alice = tenant.as('alice');
      const { room_id } = await createRoom(alice, 'group', ['bob']);
      const [mine] = await sendAll(alice, room_id, ['mine']);
      const twice: (() => Promise<Answer<unknown>>)[] = [
        () => app.master.delete(`${keysPath(tenant)}/${key_id}`),
        () => tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { name: 'renamed', settings: {} }),
        () => tenant.key.patch('/api/presets/default', { temperature: 1 }),
        () => tenant.key.delete('/api/presets/default'),
        () => alice.patch(`/rooms/${room_id}/members/bob`, { role: 'admin' }),
      ];
      for (const call of twice) for (let n = 0; n < 2; n++) expect((await call()).status).toBeLessThan(300);
      // What one does to oneself is no administration.
      expect((await alice.delete(`/rooms/${room_id}/messages/${mine?.message_id}`)).status).toBe(204);
      expect((await tenant.as('bob').delete(`/rooms/${room_id}/members/bob`)).status).toBe(204);
      expect((await tenant.key.post(`${DEAD_LETTERS}/replay`, { ids: ['dl_of_nobody'] })).status).toBe(200);
      expect(await actionsOf(tenant)).toEqual([
        ...['tenant.create', 'key.create', 'key.revoke', 'tenant.update', 'preset.update', 'preset.delete'],
        'member.role',
      ]);
    });

    it('of a webhook that is set again, but where that enables it', async () => {
      const tenant = await app.tenant();
      const webhook = { url: 'http://127.0.0.1:1/', events: [] };
      const set = (): Promise<Answer> =>
        tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { webhook } });
      for (const call of [set, set]) expect((await call()).status).toBe(200);
      await app.database.sql(`UPDATE webhooks SET disabled_at = now() WHERE tenant_id = $1`, [uuidOf(tenant.tenantId)]);
      expect((await set()).status).toBe(200);
      const [enabled, first, ...others] = await itemsOf(tenant.tenantId);
      expect([first?.after, others.length]).toMatchObject([{ 'webhook.secret': 'set' }, 1]);
      expect([enabled?.before, enabled?.after]).toEqual([{ 'webhook.enabled': false }, { 'webhook.enabled': true }]);
    });

    it('of what was refused', async () => {
      const tenant = await app.tenant();
      const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
      await createChannel(tenant.key, { name: 'one' });
      const other = await createChannel(tenant.key, { name: 'two' });
      const before = await actionsOf(tenant);
      const nobody = '019000000000700080000000ffffffff';
      const refused: [number, () => Promise<Answer<unknown>>][] = [
        [404, () => tenant.key.delete(`${keysPath(tenant)}/key_${nobody}`)],
        [404, () => tenant.key.post(`/admin/tenants/${tenant.tenantId}/webhook/rotate`, {})],
        [404, () => tenant.key.post(`/admin/tenants/${tenant.tenantId}/webhook/test`)],
        [404, () => tenant.key.delete(`${DEAD_LETTERS}/dl_${nobody}`)],
        [403, () => tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { users: 1 } })],
        [409, () => tenant.key.patch(`/api/channels/${other.id}`, { name: 'one' })],
        [409, () => tenant.key.post('/api/channels', { name: 'one', provider: 'openai-compatible' })],
        [404, () => tenant.key.delete('/api/presets/none')],
        [403, () => tenant.as('bob').delete(`/rooms/${room_id}/members/alice`)],
        [409, () => tenant.as('alice').patch(`/rooms/${room_id}/members/alice`, { role: 'member' })],
        [400, () => app.master.post('/admin/tenants', { name: '' })],
      ];
      for (const [status, call] of refused) expect((await call()).status).toBe(status);
      expect(await actionsOf(tenant)).toEqual(before);
    });

    it('more than one of a call that is repeated with its Idempotency-Key', async () => {
      const tenant = await app.tenant();
      const path = `/admin/tenants/${tenant.tenantId}`;
      await app.master.patch(path, { settings: { webhook: { url: 'http://127.0.0.1:1/', events: [] } } });
      const calls: [string, object | undefined][] = [
        ['/api/channels', { name: 'main', provider: 'openai-compatible' }],
        ['/api/presets', { name: 'support', systemPrompt: 'Be brief.' }],
        [`${DEAD_LETTERS}/replay`, { filter: {} }],
        [`${path}/webhook/test`, undefined],
      ];
      for (const [to, body] of calls) {
        const call = (): Promise<Answer> => tenant.key.post(to, body, { headers: { 'Idempotency-Key': to } });
        expect([isReplay(await call()), isReplay(await call())]).toEqual([false, true]);
      }
      expect((await actionsOf(tenant)).slice(2)).toEqual([
        ...['channel.create', 'preset.create', 'dead_letters.replay', 'webhook.test'],
      ]);
    });
  });

  describe('is shown', () => {
    it('to admin keys of the tenant and to the master key, and to nobody else', async () => {
      const [ours, theirs] = [await app.tenant(), await app.tenant()];
      const chat = withKey(app, (await createKey(app, ours, { scopes: ['chat'] })).api_key);
      const { token } = await mintToken(ours.key, 'alice');
      const own = bodyOf(await ours.key.get<Page>(AUDIT));
      expect(own).toEqual(await page(ours.tenantId));
      expect(own).toEqual(await page(ours.tenantId, {}, ours.key));
      const outcome = async (by: Api, path: string) => {
        const answer = await by.get(path);
        return answer.status === 200 ? 200 : refusal(answer);
      };
      for (const path of [AUDIT, `${AUDIT}/verify`]) {
        const foreign = `${path}?tenant_id=${theirs.tenantId}`;
        expect(await outcome(ours.key, foreign)).toEqual(NOT_FOUND);
        expect(await outcome(ours.key, `${path}?tenant_id=installation`)).toEqual(NOT_FOUND);
        expect(await outcome(app.master, `${path}?tenant_id=installation`)).toBe(200);
        expect(await outcome(app.master, path)).toEqual(badField('tenant_id'));
        expect(await outcome(app.master, `${path}?tenant_id=tenant_x`)).toEqual(NOT_FOUND);
        expect(await outcome(chat, path)).toEqual(FORBIDDEN);
        expect(await outcome(bearer(app.anonymous, token), path)).toEqual(FORBIDDEN);
      }
    });

    it('by actor, action, target and time, together', async () => {
      const tenant = await app.tenant();
      const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob', 'carl']);
      const role = (of: string, name: string): Promise<Answer> =>
        tenant.as('alice').patch(`/rooms/${room_id}/members/${of}`, { role: name });
      await role('bob', 'admin');
      await role('carl', 'admin');
      await tenant.as('bob').delete(`/rooms/${room_id}/members/carl`);
      const [made] = await itemsOf(tenant.tenantId, { action: 'tenant.create' });
      const keyId = String(made?.details?.['key']);
      await tenant.key.patch('/api/presets/default', { temperature: 1 });
      const found = async (more: Readonly<Record<string, string>>): Promise<string[]> =>
        (await itemsOf(tenant.tenantId, more)).map(({ action }) => action).reverse();
      expect(await found({ actor: 'user:alice' })).toEqual(['member.role', 'member.role']);
      expect(await found({ actor: 'master' })).toEqual(['tenant.create']);
      expect(await found({ actor: `key:${keyId}` })).toEqual(['preset.update']);
      expect(await found({ target: 'user:carl' })).toEqual(['member.role', 'member.remove']);
      expect(await found({ target: `room:${room_id}`, action: 'member.remove' })).toEqual(['member.remove']);
      expect(await found({ target: 'user:carl', actor: 'user:bob' })).toEqual(['member.remove']);
      expect(await found({ target: 'user:nobody' })).toEqual([]);
      expect(await found({ actor: 'user:nobody' })).toEqual([]);
      const [newest] = await itemsOf(tenant.tenantId, { limit: '1' });
      expect(await found({ from: newest?.at ?? '' })).toContain('preset.update');
      expect(await found({ to: made?.at ?? '' })).toEqual(['tenant.create']);
      expect(await found({ from: newest?.at ?? '', to: made?.at ?? '' })).toEqual([]);
    });

    it('page by page, while it grows', async () => {
      const tenant = await app.tenant();
      for (const n of [1, 2, 3, 4, 5, 6]) await createPreset(tenant.key, { name: `p${n}` });
      const seen: number[] = [];
      let next: string | null = '';
      do {
        const at: Page = await page(tenant.tenantId, { limit: '3', ...(next === '' ? {} : { cursor: next }) });
        seen.push(...at.items.map(({ n }) => n));
        next = at.next;
        await createPreset(tenant.key, { name: `more_${seen.length}` });
      } while (next !== null);
      expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
    });

    it.each([
      ['cursor', 'nonsense'],
      ['action', 'room.paint'],
      ['actor', 'somebody'],
      ['actor', 'room:room_x'],
      ['target', 'room'],
      ['from', 'yesterday'],
      ['limit', '0'],
    ])('not for %s=%s', async (field, value) => {
      const tenant = await app.tenant();
      expect(refusal(await tenant.key.get(`${AUDIT}?${field}=${value}`))).toEqual(badField(field));
    });

    it('without those who were erased', async () => {
      const tenant = await app.tenant();
      await AUDITED['member.remove']({ app, tenant });
      await app.database.sql('DELETE FROM audit_subjects WHERE tenant_id = $1', [uuidOf(tenant.tenantId)]);
      await app.database.sql('UPDATE audit_log SET address = NULL WHERE tenant_id = $1', [uuidOf(tenant.tenantId)]);
      const [row] = await itemsOf(tenant.tenantId);
      expect(row).toMatchObject({ actor: { kind: 'user', user_id: null }, target: { user_id: null }, address: null });
      expect(await verify(tenant.tenantId)).toMatchObject({ holds: true, rows: 2 });
    });
  });

  describe('is proven', () => {
    it('from its first row to its head, or from where the call before has ended', async () => {
      const tenant = await app.tenant();
      await createPreset(tenant.key);
      const [{ n, mac } = { n: 0, mac: Buffer.alloc(0) }] = await app.database.sql<{ n: string; mac: Buffer }>(
        'SELECT n, mac FROM audit_heads WHERE tenant_id = $1',
        [uuidOf(tenant.tenantId)],
      );
      const head = { n: Number(n), mac: mac.toString('hex') };
      const all = { holds: true, checked_to: 2, rows: 2, head, fault: null, next: null };
      expect(await verify(tenant.tenantId, tenant.key)).toEqual(all);
      const rest = await tenant.key.get<Verified>(`${AUDIT}/verify?after=1`);
      expect(rest.body).toEqual({ ...all, rows: 1 });
      const beyond = await tenant.key.get<Verified>(`${AUDIT}/verify?after=3`);
      expect(beyond.body).toMatchObject({ holds: false, fault: { n: 3, why: 'missing' } });
    });

    it('and is not where a row was altered, removed or put in by SQL; it is still listed', async () => {
      const tamper = async (sql: string): Promise<Verified> => {
        const tenant = await app.tenant();
        for (const name of ['a', 'b']) await createPreset(tenant.key, { name });
        await app.database.sql(sql, [uuidOf(tenant.tenantId)]);
        expect((await tenant.key.get(AUDIT)).status).toBe(200);
        return verify(tenant.tenantId);
      };
      const faults = [
        await tamper(`UPDATE audit_log SET entry = 'spoiled' WHERE tenant_id = $1 AND n = 2`),
        await tamper('DELETE FROM audit_log WHERE tenant_id = $1 AND n = 2'),
        await tamper(`INSERT INTO audit_log SELECT tenant_id, 4, at, actor, action, target, subject, entry, key_id, mac, address
          FROM audit_log WHERE tenant_id = $1 AND n = 3`),
      ];
      expect(faults.map(({ holds, fault }) => [holds, fault?.n, fault?.why])).toEqual([
        [false, 2, 'altered'],
        [false, 2, 'missing'],
        [false, 4, 'inserted'],
      ]);
    });
  });

  it('an error of a refused call names its request, which has no row', async () => {
    const tenant = await app.tenant();
    const { request_id } = errorOf(await tenant.key.delete('/api/presets/none'));
    expect((await itemsOf(tenant.tenantId)).map((item) => item.request_id)).not.toContain(request_id);
  });
});
