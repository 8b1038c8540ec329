import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Answer, errorOf } from '../support/http/api';
import { createRoom } from '../support/rooms';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

/** How an upgrade counts what is there already. */
const MIGRATION = join(__dirname, '../../src/platform/database/migrations/0019-tenant-counts.sql');
const COUNTED = /INSERT INTO tenant_counts[^;]*;/.exec(readFileSync(MIGRATION, 'utf8'))?.[0] ?? '';
const UNLIMITED = { requests_per_second: null, ai_requests_per_minute: null };
const ids = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('S21: limits of what a tenant holds', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  const limited = (limits: Record<string, number | null>): Promise<TestTenant> =>
    app.tenant({ ...UNLIMITED, ...limits });
  const group = (tenant: TestTenant, members: string[], by = 'alice'): Promise<Answer<{ room_id: string }>> =>
    tenant.as(by).post('/rooms', { type: 'group', members });
  const reached = (limit: string, allowed: number): object => ({
    status: 403,
    error: expect.objectContaining({
      code: 'AUTHORIZATION_ERROR',
      details: { limit, allowed, hint: expect.any(String) as string },
    }) as object,
  });
  const refusal = (answer: Answer<unknown>): object => ({ status: answer.status, error: errorOf(answer) });

  async function count(tenant: TestTenant): Promise<{ counted: unknown; there: unknown }> {
    const [row] = await app.database.sql<{ counted: unknown; there: unknown }>(
      `SELECT (SELECT jsonb_build_array(COALESCE(sum(c.users), 0), COALESCE(sum(c.rooms), 0)) FROM tenant_counts c
          WHERE c.tenant_id = q.id) AS counted,
        jsonb_build_array((SELECT count(*) FROM users u WHERE u.tenant_id = q.id AND NOT starts_with(u.user_id, 'agent_')),
          (SELECT count(*) FROM rooms r WHERE r.tenant_id = q.id AND r.deleted_at IS NULL)) AS there
       FROM (SELECT replace($1, 'tenant_', '')::uuid AS id) q`,
      [tenant.tenantId],
    );
    if (!row) throw new Error('no counts');
    expect(await app.database.sql('SELECT 1 FROM tenant_count_deltas')).toEqual([]);
    return row;
  }
  const expectExact = async (tenant: TestTenant, users: number, rooms: number): Promise<void> =>
    expect(await count(tenant)).toEqual({ counted: [users, rooms], there: [users, rooms] });

  it('S21: they are unlimited by default, shown, changed and reset like the others', async () => {
    const tenant = await limited({ users: 5 });
    const path = `/admin/tenants/${tenant.tenantId}`;
    const limitsOf = async (): Promise<unknown> => (await app.master.get(path)).body['limits'];
    expect(await limitsOf()).toMatchObject({ users: 5, rooms: null, members_per_room: null });
    await app.master.patch(path, { limits: { users: 'default', rooms: 0 } });
    expect(await limitsOf()).toMatchObject({ users: null, rooms: 0, members_per_room: null });
    expect((await app.master.patch(path, { limits: { users: -1 } })).status).toBe(400);
  });

  it('S21: users: 200 rooms of 999 new ones each by one key make as many as are allowed', async () => {
    const tenant = await limited({ users: 1000 });
    const answers = [];
    for (let r = 0; r < 5; r++) answers.push(await group(tenant, ids(`r${r}-`, 999)));
    expect(answers.map(({ status }) => status)).toEqual([201, 403, 403, 403, 403]);
    for (const answer of answers.slice(1)) expect(refusal(answer)).toEqual(reached('users', 1000));
    await expectExact(tenant, 1000, 1);
    // Who is there already may do as before; nobody else comes in, by whatever door.
    expect((await group(tenant, ids('r0-', 10))).status).toBe(201);
    expect(refusal(await group(tenant, [], 'new'))).toEqual(reached('users', 1000));
    const client = await WsClient.connect(app.url, { headers: keyOf(tenant, 'new') });
    expect(await client.ended()).toMatchObject({ code: 4004 });
    expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'AUTHORIZATION_ERROR' });
    const chat = await tenant.key.post('/api/v1/chats/', { user_id: 'new' });
    expect(refusal(chat)).toEqual(reached('users', 1000));
    await expectExact(tenant, 1000, 2);
  });

  it('S21: rooms: a deleted one gives its place back; chats count, their agents are no users', async () => {
    const tenant = await limited({ rooms: 3 });
    const { room_id } = await createRoom(tenant.as('alice'), 'group');
    const chat = await tenant.key.post<{ chat_id: string }>('/api/v1/chats/', { user_id: 'alice' });
    expect(chat.status).toBe(201);
    expect((await tenant.as('alice').post('/rooms', { type: 'dm', members: ['bob'] })).status).toBe(201);
    expect(refusal(await group(tenant, []))).toEqual(reached('rooms', 3));
    expect(refusal(await tenant.key.post('/api/v1/chats/', { user_id: 'alice' }))).toEqual(reached('rooms', 3));
    await expectExact(tenant, 2, 3);
    await tenant.as('alice').delete(`/rooms/${room_id}`);
    await expectExact(tenant, 2, 2);
    expect((await group(tenant, [])).status).toBe(201);
    await expectExact(tenant, 2, 3);
  });

  it('S21: members_per_room: creating, adding, joining; those who are there stay when it is lowered', async () => {
    const tenant = await limited({ members_per_room: 3 });
    expect(refusal(await group(tenant, ids('m', 3)))).toEqual(reached('members_per_room', 3));
    const { room_id } = (await group(tenant, ids('m', 1))).body;
    const add = (user_ids: string[]): Promise<Answer<unknown>> =>
      tenant.as('alice').post(`/rooms/${room_id}/members`, { user_ids });
    expect(refusal(await add(['x', 'y']))).toEqual(reached('members_per_room', 3));
    expect((await add(['x'])).status).toBe(200);
    expect((await add(['x'])).status).toBe(200);
    const channel = await createRoom(tenant.as('alice'), 'channel', ['m0', 'x']);
    expect(refusal(await tenant.as('z').post(`/rooms/${channel.room_id}/join`))).toEqual(
      reached('members_per_room', 3),
    );
    await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { members_per_room: 1 } });
    expect((await tenant.as('alice').get<unknown[]>(`/rooms/${room_id}/members`)).body).toHaveLength(3);
    expect((await tenant.as('x').delete(`/rooms/${room_id}/members/x`)).status).toBe(204);
    expect((await tenant.as('m0').post(`/rooms/${room_id}/messages`, { content: 'hello' })).status).toBe(201);
    expect((await tenant.key.post('/api/v1/chats/', { user_id: 'alice' })).status).toBe(201);
  });

  it('S21: they are exact when many come at once, and a refused call may be made again with its Idempotency-Key', async () => {
    const tenant = await limited({ users: 40, rooms: 12 });
    const call = (i: number): Promise<Answer<unknown>> =>
      tenant
        .as('alice')
        // Overlapping sets in different orders, so that calls wait for each other's users.
        .post(
          '/rooms',
          { type: 'group', members: [`u${i}`, `u${(i * 7) % 30}`, `u${(i * 11) % 30}`] },
          {
            headers: { 'idempotency-key': `call-${i}` },
          },
        );
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => call(i)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(12);
    for (const answer of answers.filter(({ status }) => status !== 201))
      expect(refusal(answer)).toEqual(reached('rooms', 12));
    const { counted, there } = await count(tenant);
    expect(counted).toEqual(there);
    await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { rooms: null, users: null } });
    expect((await Promise.all(answers.map((_, i) => call(i)))).every(({ status }) => status === 201)).toBe(true);
    const [users] = (await count(tenant)).counted as number[];
    await expectExact(tenant, users ?? 0, 30);
  });

  it('S21: what is there already was counted by the migration', async () => {
    const tenant = await app.tenant();
    await group(tenant, ids('m', 7));
    await tenant.key.post('/api/v1/chats/', { user_id: 'alice' });
    const gone = await createRoom(tenant.as('alice'), 'group');
    await tenant.as('alice').delete(`/rooms/${gone.room_id}`);
    await app.database.sql('DELETE FROM tenant_counts');
    await app.database.sql(COUNTED);
    await expectExact(tenant, 8, 2);
  });

  it('S21: a tenant that is deleted takes its counts with it', async () => {
    const tenant = await app.tenant();
    await group(tenant, ids('m', 7));
    const id = `replace('${tenant.tenantId}', 'tenant_', '')::uuid`;
    await app.database.sql(`DELETE FROM tenants WHERE tenant_id = ${id}`);
    expect(await app.database.sql(`SELECT 1 FROM tenant_counts WHERE tenant_id = ${id}`)).toEqual([]);
  });
});
