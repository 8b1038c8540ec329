import { type App, createApp } from '../../src/app';
import type { AppConfig } from '../../src/config';
import { MOST_OF_KEYS, MOST_OF_TENANT, MOST_STREAMS } from '../../src/modules/stats/streams';
import { SilentLog } from '../../src/platform/logging';
import { MASTER_KEY, startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, JWT_SECRET, mintToken } from '../support/auth';
import { SseClient, type SseEvent } from '../support/chats/sse';
import { Api, type Bodies } from '../support/http/api';
import { until } from '../support/poll';
import { badField, bodyOf, createRoom, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { createKey, uuidOf } from '../support/tenants';
import { WsClient } from '../support/ws/client';

type Stats = Bodies['StatsDto'];
type History = Bodies['StatsHistoryDto'];

const ROUTES = ['/admin/stats', '/admin/stats/history', '/admin/stats/stream'];

let app: TestApp;
let config: AppConfig;
let tenant: TestTenant;
const open: SseClient[] = [];

beforeAll(async () => {
  app = await startTestApp({
    env: { JWT_SECRET },
    start: (given, log) => {
      config = given;
      return createApp(given, () => undefined, log);
    },
  });
  tenant = await app.tenant();
});
afterEach(async () => {
  if (open.length === 0) return;
  for (const stream of open.splice(0)) stream.cut();
  await until(streams, (n) => n === 0);
});
afterAll(() => app.close());

async function stream(by: Api, query = '', lastEventId?: string): Promise<SseClient> {
  const client = await SseClient.open(by, 'GET', `/admin/stats/stream${query}`, { lastEventId });
  open.push(client);
  return client;
}

async function streams(): Promise<number> {
  const text = await (await fetch(`${app.url}/metrics`)).text();
  return Number(/^chatapi_stats_streams (\d+)$/m.exec(text)?.[1]);
}

const statsOf = ({ data }: SseEvent): Stats => data as unknown as Stats;
const idsOf = (events: readonly SseEvent[]): number[] => events.map(({ id }) => Number(id));

/** Samples from here on, until one is as wanted; all of them. */
async function samplesUntil(client: SseClient, isWanted: (stats: Stats) => boolean): Promise<Stats[]> {
  const seen: Stats[] = [];
  for (;;) {
    const event = await client.next();
    if (event === undefined) throw new Error('the stream ended');
    seen.push(statsOf(event));
    if (isWanted(statsOf(event))) return seen;
  }
}

/** Two members of a new room, one of them connected. */
async function furnish(of: TestTenant): Promise<{ room_id: string; alice: Api; client: WsClient }> {
  const alice = of.as('alice');
  const { room_id } = await createRoom(alice, 'group', ['bob']);
  const client = await WsClient.connect(app.url, { headers: { 'x-api-key': of.apiKey, 'x-user-id': 'bob' } });
  return { room_id, alice, client };
}

describe('live numbers', () => {
  it('say what is open and what happens, of the installation and of a tenant', async () => {
    const own = await app.tenant();
    const all = await stream(app.master);
    const mine = await stream(own.key);
    const { room_id, alice, client } = await furnish(own);
    await sendAll(alice, room_id, ['one', 'two', 'three']);
    const isTold = (stats: Stats): boolean => stats.figures.deliveries_per_second > 0;
    const [ofAll, ofMine] = await Promise.all([samplesUntil(all, isTold), samplesUntil(mine, isTold)]);
    for (const samples of [ofAll, ofMine]) {
      const last = samples.at(-1)?.figures;
      expect(last).toMatchObject({ connections: { ws: 1, ws_chat: 0 }, online: 1, rooms_live: 1 });
      expect(samples.some(({ figures }) => figures.messages_per_second > 0)).toBe(true);
      expect(last?.send_p50_ms).toBeGreaterThan(0);
      expect(last?.send_p99_ms).toBeGreaterThanOrEqual(last?.send_p50_ms ?? Infinity);
    }
    const [now, own_now] = [ofAll.at(-1), ofMine.at(-1)];
    expect(now).toMatchObject({ tenant_id: null, nodes: [{ name: null, database: { up: true } }] });
    expect(now?.tenants?.map(({ tenant_id }) => tenant_id)).toContain(own.tenantId);
    expect(own_now).toMatchObject({ tenant_id: own.tenantId, tenants: null, nodes: null });
    await client.close();
    await samplesUntil(all, ({ figures }) => figures.connections.ws === 0 && figures.rooms_live === 0);
    await samplesUntil(mine, ({ figures }) => figures.connections.ws === 0 && figures.rooms_live === 0);
  });

  it('are answered once, too', async () => {
    const { client } = await furnish(tenant);
    const stats = await until(
      async () => bodyOf(await app.master.get<Stats>('/admin/stats')),
      ({ figures }) => figures.connections.ws > 0,
    );
    expect(stats.counts).toMatchObject({ capped: [], dead_letters: { message: 0, notification: 0, webhook: 0 } });
    expect(stats.nodes?.[0]?.rss_bytes).toBeGreaterThan(1e6);
    const own = bodyOf(await tenant.key.get<Stats>('/admin/stats'));
    expect(own).toMatchObject({ tenant_id: tenant.tenantId, figures: { connections: { ws: 1 } } });
    await client.close();
  });

  it('count what a limit refused', async () => {
    const hasty = await app.tenant({ requests_per_second: 1 });
    const samples = await stream(app.master, `?tenant_id=${hasty.tenantId}`);
    const answers = await Promise.all(Array.from({ length: 10 }, () => hasty.as('alice').get('/rooms')));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
    await samplesUntil(samples, ({ figures }) => figures.refused_per_second > 0);
  });

  it('count jobs and what was given up', async () => {
    const own = await app.tenant();
    await app.database.sql(
      `INSERT INTO jobs (tenant_id, kind, key, payload, state, ended_at)
       SELECT $1, 'test.given-up', '', '{}', 'dead', now() FROM generate_series(1, 3)`,
      [uuidOf(own.tenantId)],
    );
    const { counts } = bodyOf(await own.key.get<Stats>('/admin/stats'));
    expect(counts?.jobs).toEqual([{ kind: 'test.given-up', queued: 0, running: 0, dead: 3 }]);
    const other = bodyOf(await tenant.key.get<Stats>('/admin/stats'));
    expect(other.counts?.jobs.map(({ kind }) => kind)).not.toContain('test.given-up');
  });
});

describe('whose they are', () => {
  it.each(ROUTES)('%s: an admin key sees its own tenant and no other', async (path) => {
    const other = await app.tenant();
    expect(refusal(await tenant.key.get(`${path}?tenant_id=${other.tenantId}`))).toEqual(NOT_FOUND);
    const unknown = 'tenant_019000000000700080000000ffffffff';
    for (const by of [tenant.key, app.master])
      for (const id of [unknown, 'nonsense'])
        expect(refusal(await by.get(`${path}?tenant_id=${id}`))).toEqual(NOT_FOUND);
    const { api_key } = await createKey(app, tenant, { scopes: ['chat'] });
    const chatting = app.anonymous.with({ 'x-api-key': api_key });
    expect(refusal(await chatting.get(path))).toMatchObject({ status: 403 });
    const { token } = await mintToken(tenant.key, 'alice');
    expect(refusal(await bearer(app.anonymous, token).get(path))).toMatchObject({ status: 403 });
    expect(refusal(await app.anonymous.get(path))).toMatchObject({ status: 401 });
  });
});

describe('the stream', () => {
  it.each([
    ['of all', (): Promise<Api> => Promise.resolve(app.master)],
    ['of a tenant', async (): Promise<Api> => (await app.tenant()).key],
  ])('%s goes on after Last-Event-ID without a hole and without doubling', async (_, client) => {
    const by = await client();
    const control = await stream(by);
    const seen = await control.take(2);
    const first = await stream(by, '', '0');
    const got: SseEvent[] = [];
    const upTo = async (reader: SseClient, id: string | undefined): Promise<void> => {
      for (let event = await reader.next(); event !== undefined; event = await reader.next()) {
        got.push(event);
        if (event.id === id) return;
      }
    };
    await upTo(first, seen.at(-1)?.id);
    for (let cut = 0; cut < 2; cut++) {
      open.at(-1)?.cut();
      seen.push(...(await control.take(2)));
      await upTo(await stream(by, '', got.at(-1)?.id), seen.at(-1)?.id);
    }
    const since = idsOf(got).indexOf(Number(seen[0]?.id));
    expect(since).toBeGreaterThanOrEqual(0);
    expect(idsOf(got).slice(since)).toEqual(idsOf(seen));
    const all = idsOf(got);
    expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
    // What was sent again is what was sent.
    for (const event of seen)
      expect(statsOf(got[idsOf(got).indexOf(Number(event.id))] ?? event).figures).toEqual(statsOf(event).figures);
  });

  it('begins with the newest for an id of the future, and refuses what is no id', async () => {
    const [event] = await (await stream(app.master, '', '999999999999')).take(1);
    expect(statsOf(event ?? { id: '', data: {} }).tenant_id).toBeNull();
    const refused = await app.master.with({ 'last-event-id': 'x' }).get('/admin/stats/stream');
    expect(refusal(refused)).toEqual(badField('Last-Event-ID'));
  });

  it(`is given ${MOST_STREAMS} times at once and no more, and a place is free again when a reader leaves`, async () => {
    const full = { status: 429, code: 'RATE_LIMIT_EXCEEDED' };
    const tenants = await Promise.all([0, 1, 2, 3].map(() => app.tenant()));
    const most = MOST_OF_KEYS / MOST_OF_TENANT;
    for (const { key } of tenants.slice(0, most))
      for (let i = 0; i < MOST_OF_TENANT; i++) expect((await stream(key)).status).toBe(200);
    // One tenant has its share, then all keys have theirs.
    for (const each of [tenants[0], tenants[most]])
      expect(refusal(await (each ?? tenant).key.get('/admin/stats/stream'))).toEqual(full);
    for (let i = MOST_OF_KEYS; i < MOST_STREAMS; i++) expect((await stream(app.master)).status).toBe(200);
    const refused = await app.master.get('/admin/stats/stream');
    expect(refusal(refused)).toEqual(full);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    open.pop()?.cut();
    await until(streams, (n) => n < MOST_STREAMS);
    expect((await stream(app.master)).status).toBe(200);
  });

  it('ends with its tenant’s suspension and with its key', async () => {
    const own = await app.tenant();
    const ofTenant = await stream(own.key);
    await ofTenant.take(1);
    bodyOf(await app.master.patch(`/admin/tenants/${own.tenantId}`, { status: 'suspended' }));
    await ofTenant.rest();
    const key = await createKey(app, tenant, { scopes: ['admin'] });
    const [ofKey, ofOther] = [await stream(app.anonymous.with({ 'x-api-key': key.api_key })), await stream(tenant.key)];
    await ofKey.take(1);
    expect((await app.master.delete(`/admin/tenants/${tenant.tenantId}/keys/${key.key_id}`)).status).toBe(204);
    await ofKey.rest();
    expect((await ofOther.take(3)).length).toBe(3);
  });
});

describe('the history', () => {
  it.each([
    ['range=2h', 'range'],
    ['step=61', 'step'],
    ['range=7d&step=60', 'step'],
  ])('%s is refused', async (query, field) => {
    expect(refusal(await app.master.get(`/admin/stats/history?${query}`))).toEqual(badField(field));
  });

  it('outlives the server', async () => {
    const own = await app.tenant();
    const { room_id, alice, client } = await furnish(own);
    await sendAll(alice, room_id, ['one', 'two', 'three']);
    await client.frame(({ type, content }) => type === 'message' && content === 'three');
    // The sample that counts it.
    const samples = await SseClient.open(own.key, 'GET', '/admin/stats/stream');
    await samples.take(2);
    samples.cut();
    await client.close();
    await app.app.lifecycle.stop('restart');
    const again: App = await createApp(config, () => undefined, new SilentLog());
    try {
      const api = new Api(again.url);
      const past = async (by: Api, query = ''): Promise<History> =>
        bodyOf(await by.get<History>(`/admin/stats/history${query}`));
      const mine = await past(api.with({ 'x-api-key': own.apiKey }));
      expect(mine).toMatchObject({ tenant_id: own.tenantId, range: '1h', step: 60 });
      const sum = (history: History, of: 'messages' | 'deliveries'): number =>
        history.points.reduce((all, point) => all + point[of], 0);
      expect(sum(mine, 'messages')).toBe(3);
      // What is not acknowledged may be sent again.
      expect(sum(mine, 'deliveries')).toBeGreaterThanOrEqual(3);
      const all = await past(api.with({ 'x-master-key': MASTER_KEY }), '?range=24h&step=900');
      expect(all.tenant_id).toBeNull();
      expect(sum(all, 'messages')).toBeGreaterThanOrEqual(3);
      expect(all.points.at(-1)?.rss_bytes).toBeGreaterThan(1e6);
    } finally {
      await again.lifecycle.stop('test over');
    }
  });
});
