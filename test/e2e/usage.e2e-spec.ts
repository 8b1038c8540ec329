import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, JWT_SECRET, mintToken } from '../support/auth';
import { type Api, type Bodies } from '../support/http/api';
import { until } from '../support/poll';
import { badField, bodyOf, createRoom, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { createKey, uuidOf } from '../support/tenants';
import { WsClient } from '../support/ws/client';

type Usage = Bodies['TenantUsageDto'];

let app: TestApp;
let tenant: TestTenant;
let roomId: string;
let today: string;

beforeAll(async () => {
  app = await startTestApp({ env: { JWT_SECRET } });
  tenant = await app.tenant();
  const alice = tenant.as('alice');
  roomId = (await createRoom(alice, 'group', ['bob'])).room_id;
  await sendAll(alice, roomId, ['one', 'three']);
  await sendAll(tenant.as('bob'), roomId, ['four']);
  today = bodyOf(await tenant.key.get<Usage>('/admin/usage')).to;
});
afterAll(() => app.close());

const usage = async (query = '', by: Api = tenant.key): Promise<Usage> =>
  bodyOf(await by.get<Usage>(`/admin/usage${query}`));

/** Moves what the tenant sent to a day, as if it had been then; it is counted anew. */
async function sentOn(own: TestTenant, day: string, texts: readonly string[]): Promise<void> {
  const by = own.as('alice');
  const { room_id } = await createRoom(by, 'group', ['bob']);
  await sendAll(by, room_id, texts);
  await app.database.sql('UPDATE messages SET created_at = $2 WHERE room_id = $1', [
    uuidOf(room_id),
    `${day}T12:00:00Z`,
  ]);
}

/** Every item of all pages, and how many each page had. */
async function pages(query: string, by: Api): Promise<{ items: readonly Usage['items'][number][]; sizes: number[] }> {
  const items: Usage['items'][number][] = [];
  const sizes: number[] = [];
  for (let cursor = ''; ;) {
    const page = await usage(`${query}${cursor}`, by);
    items.push(...page.items);
    sizes.push(page.items.length);
    if (page.next === null) return { items, sizes };
    cursor = `&cursor=${page.next}`;
  }
}

describe('GET /admin/usage', () => {
  it('says by default what each of the last 30 days had, today’s at once', async () => {
    const body = await usage();
    expect(body).toMatchObject({
      ...{ tenant_id: tenant.tenantId, to: today, group_by: 'day', next: null },
      approximate: ['deliveries', 'webhook_posts', 'peak_connections'],
    });
    expect(body.items).toHaveLength(30);
    expect(body.items[0]?.day).toBe(body.from);
    expect(body.items.at(-1)).toEqual({
      ...{ day: today, messages: 3, runs: 0, prompt_tokens: 0, completion_tokens: 0, estimated_tokens: 0, cost: 0 },
      ...{ storage_bytes: 12, deliveries: 0, webhook_posts: 0, peak_connections: 0 },
    });
    expect(new Date(body.complete_to ?? 0).getTime()).toBeGreaterThan(0);
  });

  it('says it by user, by room, by model channel and by preset', async () => {
    const none = { runs: 0, prompt_tokens: 0, completion_tokens: 0, estimated_tokens: 0, cost: 0 };
    expect((await usage('?group_by=user')).items).toEqual([
      { user_id: 'alice', messages: 2, ...none },
      { user_id: 'bob', messages: 1, ...none },
    ]);
    expect((await usage('?group_by=chat')).items).toEqual([{ room_id: roomId, messages: 3, ...none }]);
    const [{ room_id: gone } = { room_id: '' }] = await app.database.sql<{ room_id: string }>(
      'SELECT gen_random_uuid() AS room_id',
    );
    await app.database.sql(
      `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state, channel, prompt_tokens, total_tokens,
         estimated, ended_at)
       SELECT $1, gen_random_uuid(), r.room_id, 'alice', 1, 'completed', c.name, 5, 5, c.name IS NOT NULL, clock_timestamp()
       FROM rooms r, (VALUES ('main'), ('main'), (NULL)) c(name) WHERE r.room_id = $2 AND r.room_id <> $3`,
      [uuidOf(tenant.tenantId), uuidOf(roomId), gone],
    );
    await stale(tenant);
    const used = { runs: 2, prompt_tokens: 10, completion_tokens: 0, estimated_tokens: 10, cost: 0 };
    expect((await usage('?group_by=channel')).items).toEqual([
      { channel: null, runs: 1, prompt_tokens: 5, completion_tokens: 0, estimated_tokens: 0, cost: 0 },
      { channel: 'main', ...used },
    ]);
    expect((await usage('?group_by=preset')).items).toEqual([
      { preset: null, runs: 3, prompt_tokens: 15, completion_tokens: 0, estimated_tokens: 10, cost: 0 },
    ]);
  });

  it('counts from and to in', async () => {
    const own = await app.tenant();
    await sentOn(own, '2026-03-01', ['ab']);
    await sentOn(own, '2026-03-02', ['cde', 'f']);
    await sentOn(own, '2026-03-04', ['ghij']);
    const of = async (from: string, to: string) =>
      (await usage(`?from=${from}&to=${to}`, own.key)).items.map(({ day, messages, storage_bytes }) => [
        ...[day?.slice(8), messages, storage_bytes],
      ]);
    expect(await of('2026-03-02', '2026-03-03')).toEqual([
      ['02', 2, 6],
      ['03', 0, 6],
    ]);
    expect(await of('2026-03-04', '2026-03-04')).toEqual([['04', 1, 10]]);
    expect((await usage('?from=2026-03-02&to=2026-03-03&group_by=user', own.key)).items).toMatchObject([
      { user_id: 'alice', messages: 2 },
    ]);
    expect((await usage('?from=2026-03-05&to=2026-03-06&group_by=user', own.key)).items).toEqual([]);
  });

  it('gives long lists in pages, without a hole and without doubling', async () => {
    const own = await app.tenant();
    const users = ['Zoe', 'al', 'alice', 'b', 'c@a.va'];
    const { room_id } = await createRoom(own.as('alice'), 'group', users);
    for (const user of users) await sendAll(own.as(user), room_id, ['x']);
    const byUser = await pages('?group_by=user&limit=2', own.key);
    expect(byUser.items.map(({ user_id }) => user_id)).toEqual(users);
    expect(byUser.sizes).toEqual([2, 2, 1]);
    const byDay = await pages('?from=2024-01-01&to=2024-12-31&limit=100', own.key);
    expect(byDay.sizes).toEqual([100, 100, 100, 66]);
    expect(new Set(byDay.items.map(({ day }) => day)).size).toBe(366);
    expect(byDay.items.at(-1)?.day).toBe('2024-12-31');
  });

  it('counts what the server lost sight of, and what it counts by itself', async () => {
    const own = await app.tenant();
    const { room_id } = await createRoom(own.as('alice'), 'group', ['bob']);
    await sendAll(own.as('alice'), room_id, ['x']);
    // Nobody asks: it is counted within a minute.
    const rows = await until(
      () =>
        app.database.sql<{ n: number }>(
          'SELECT sum(messages_sent)::int AS n FROM usage_days WHERE tenant_id = $1 GROUP BY tenant_id',
          [uuidOf(own.tenantId)],
        ),
      (found) => found.length > 0,
    );
    expect(rows).toEqual([{ n: 1 }]);
    expect(await (await fetch(`${app.url}/metrics`)).text()).toMatch(/^chatapi_usage_lag_seconds \d/m);
  });

  it.each([
    ['from', 'from=2026-02-30'],
    ['from', 'from=yesterday'],
    ['from', 'from=2026-1-1'],
    ['from', 'from=1969-12-31'],
    ['to', 'to=2026-13-01'],
    ['to', 'to='],
    ['from', 'from=2026-03-02&to=2026-03-01'],
    ['from', 'from=2024-01-01&to=2025-01-01'],
    ['from', 'from=2999-01-01'],
    ['group_by', 'group_by=week'],
    ['limit', 'limit=101'],
    ['limit', 'limit=0'],
    ['cursor', 'cursor=nonsense'],
    ['cursor', `cursor=${cursorOf('2026-02-30')}`],
    ['cursor', `cursor=${cursorOf(7)}`],
    ['cursor', `group_by=chat&cursor=${cursorOf('alice')}`],
    ['cursor', `group_by=user&cursor=${cursorOf('a', 'b')}`],
    ['users', 'users=1'],
  ])('refuses a bad %s: %s', async (field, query) => {
    expect(refusal(await tenant.key.get(`/admin/usage?${query}`))).toEqual(badField(field));
  });

  it('takes a cursor of days outside of the range for what it is', async () => {
    const of = (day: string) => usage(`?from=2026-03-01&to=2026-03-03&cursor=${cursorOf(day)}`);
    expect((await of('2020-01-01')).items.map(({ day }) => day)).toEqual(['2026-03-01', '2026-03-02', '2026-03-03']);
    expect((await of('2026-03-03')).items).toEqual([]);
    expect((await of('9999-12-31')).items).toEqual([]);
    expect((await usage('?from=9999-12-30&to=9999-12-31')).items).toHaveLength(2);
  });

  it('shows an admin key its own tenant and no other, and the master key the one it names', async () => {
    const other = await app.tenant();
    expect(refusal(await tenant.key.get(`/admin/usage?tenant_id=${other.tenantId}`))).toEqual(NOT_FOUND);
    const unknown = 'tenant_019000000000700080000000ffffffff';
    for (const by of [tenant.key, app.master])
      for (const id of [unknown, 'nonsense'])
        expect(refusal(await by.get(`/admin/usage?tenant_id=${id}`))).toEqual(NOT_FOUND);
    expect(refusal(await app.master.get('/admin/usage'))).toEqual(badField('tenant_id'));
    const query = `?tenant_id=${tenant.tenantId}&group_by=user`;
    expect(await usage(query, app.master)).toMatchObject({ ...(await usage(query)), complete_to: expect.any(String) });
    expect((await usage('?group_by=user', other.key)).items).toEqual([]);
    const { api_key } = await createKey(app, tenant, { scopes: ['chat'] });
    const chatting = app.anonymous.with({ 'x-api-key': api_key });
    expect(refusal(await chatting.get('/admin/usage'))).toMatchObject({ status: 403 });
    const { token } = await mintToken(tenant.key, 'alice');
    expect(refusal(await bearer(app.anonymous, token).get('/admin/usage'))).toMatchObject({ status: 403 });
    expect(refusal(await app.anonymous.get('/admin/usage'))).toMatchObject({ status: 401 });
  });
});

describe('what is counted in memory', () => {
  it('is written when the server stops', async () => {
    const own = await startTestApp();
    const { apiKey, as, tenantId } = await own.tenant();
    const { room_id } = await createRoom(as('alice'), 'group', ['bob']);
    const bob = await WsClient.connect(own.url, { headers: { 'x-api-key': apiKey, 'x-user-id': 'bob' } });
    await sendAll(as('alice'), room_id, ['one', 'two']);
    await bob.many('message', 2);
    await own.app.lifecycle.stop('test');
    const [row] = await own.database.sql(
      'SELECT sum(deliveries)::int AS deliveries FROM usage_days WHERE tenant_id = $1',
      [uuidOf(tenantId)],
    );
    expect(row).toEqual({ deliveries: 2 });
    await own.close();
  });
});

/** As if the figures were old: the next call counts first. */
async function stale({ tenantId }: TestTenant): Promise<void> {
  await app.database.sql(`UPDATE usage_state SET complete_to = '2020-01-01' WHERE tenant_id = $1`, [uuidOf(tenantId)]);
}

function cursorOf(...key: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}
