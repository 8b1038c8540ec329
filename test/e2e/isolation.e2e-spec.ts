import { addAgent } from '../support/agents';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Answer, type Api, errorOf } from '../support/http/api';
import { conversationIdOf, createChat } from '../support/chats/http';
import { doneErasure } from '../support/erase';
import { deadLetter } from '../support/dead-letters';
import { readyExport } from '../support/exports';
import { createChannel, createPreset } from '../support/models';
import { deadJob } from '../support/jobs';
import { notify } from '../support/notifications';
import { until } from '../support/poll';
import { bodyOf, createRoom, sendAll } from '../support/rooms';
import { type DocumentedRoute, documentedRoutes } from '../support/documented-routes';
import { rowsOf } from '../support/database';
import { createKey, uuidOf } from '../support/tenants';
import { createImport } from '../support/transfer/imports';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

/** A value for each kind of id, by the name of the parameter or field that takes it. */
type Ids = Readonly<Record<string, string>>;

const NOBODY = '019000000000700080000000ffffffff';
/** Ids of things that no tenant has. A path parameter that is missing here fails the test: add it to all three. */
const UNKNOWN: Ids = {
  tenant_id: `tenant_${NOBODY}`,
  room_id: `room_${NOBODY}`,
  message_id: `msg_${NOBODY}`,
  key: 'key-of-nobody',
  key_id: `key_${NOBODY}`,
  notification_id: `notif_${NOBODY}`,
  subscription_id: `sub_${NOBODY}`,
  user_id: 'user-of-nobody',
  id: `dl_${NOBODY}`,
  channelId: `chan_${NOBODY}`,
  preset: 'preset-of-nobody',
  agent_id: 'agent_nobody',
  chat_id: '01900000-0000-7000-8000-0000ffffffff',
  conversation_id: `conv_${NOBODY}`,
  job_id: '999999999999',
  connection_id: `conn_${NOBODY}`,
  erasure_id: `er_${NOBODY}`,
  export_id: `exp_${NOBODY}`,
  import_id: `imp_${NOBODY}`,
  user_export_id: `exp_${NOBODY}`,
};
/** Of a reaction: a word that anybody may use, no id. */
const NO_ID = 'key';
/** What has not begun, here as anywhere, has nothing that is being answered. */
const NOTHING_RUNS = 'GET /api/ui/chat/{chat_id}/stream';
/** Whose user id says on whose behalf one calls. */
const NAMES_A_USER = /^\/api\/v1\/chats\/user\//;
/** Those of OpenAI's API refuse in its shape, and find nothing of others: openai-*.e2e-spec.ts. */
const ROUTES = documentedRoutes().filter(({ schemes, path }) => schemes.length > 0 && !path.startsWith('/v1/'));

/** Of a socket that stays open: nobody may close it in this test. */
async function openConnection(app: TestApp, tenant: TestTenant, userId: string): Promise<string> {
  const client = await WsClient.admitted(app.url, { headers: keyOf(tenant, userId) });
  return String((await client.frame('hello'))['connection_id']);
}

async function transfersOf(app: TestApp, tenant: TestTenant, userId: string): Promise<Ids> {
  const { import_id } = await createImport(app.master, tenant);
  const [ofTenant, ofUser] = [await readyExport(tenant.key, tenant), await readyExport(tenant.key, tenant, userId)];
  return { import_id, export_id: ofTenant.export_id, user_export_id: ofUser.export_id };
}

/** A tenant with a room, a message, a key and a member of its own; `alice` exists in every tenant. */
async function furnish(app: TestApp, member: string, secret: string): Promise<{ tenant: TestTenant; ids: Ids }> {
  const tenant = await app.tenant();
  const alice = tenant.as('alice');
  const { room_id } = await createRoom(alice, 'channel', [member]);
  const [message] = await sendAll(alice, room_id, [secret, 'another one']);
  const { key_id } = await createKey(app, tenant);
  const id = await deadLetter(app, tenant, room_id, member);
  const { id: subscription_id } = bodyOf(
    await alice.post<{ id: string }>('/subscriptions', { topic: 'order.shipped' }),
    201,
  );
  const { notification_id } = await notify(tenant, { targets: { user_ids: ['alice'] } });
  // The job that tells alice would change the tenant's rows while they are compared.
  await until(
    () => app.database.sql(`SELECT 1 FROM jobs WHERE kind <> 'nobodys'`),
    (jobs) => jobs.length === 0,
  );
  // It hears of nothing: there is only something to be looked at.
  const webhook = { url: 'https://example.com/', events: [] };
  bodyOf(await tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { webhook, message_history: 'on' } }));
  const { id: channelId } = await createChannel(tenant.key, { apiKey: secret });
  // The documented example is there already, whoever makes it first.
  await createPreset(tenant.key);
  const { name: preset } = await createPreset(tenant.key, { name: `preset-${member}`, systemPrompt: secret });
  const { agent_id } = await addAgent(alice, room_id, { preset, respond: 'never' });
  const chat = await createChat(tenant.key, 'alice', { title: secret });
  const message_id = message?.message_id ?? '';
  return {
    tenant,
    ids: {
      tenant_id: tenant.tenantId,
      ...{ room_id, message_id, key: `key-of-${member}`, key_id },
      notification_id,
      subscription_id,
      user_id: member,
      id,
      channelId,
      preset,
      agent_id,
      chat_id: chat.id,
      conversation_id: conversationIdOf(chat.id),
      job_id: await deadJob(app.database, tenant),
      connection_id: await openConnection(app, tenant, member),
      erasure_id: await doneErasure(app.database, tenant),
      ...(await transfersOf(app, tenant, member)),
    },
  };
}

describe('tenant isolation over all routes', () => {
  let app: TestApp;
  let theirs: { tenant: TestTenant; ids: Ids };
  let ours: { tenant: TestTenant; ids: Ids };
  let clients: Record<string, Api>;

  beforeAll(async () => {
    app = await startTestApp();
    theirs = await furnish(app, 'member-of-theirs', 'secret of the tenant');
    ours = await furnish(app, 'member-of-ours', 'our own secret');
    // The documented example makes one of this name: both calls of the walk find it.
    await createChannel(ours.tenant.key, { name: 'echo', enabled: false });
    clients = {
      key: ours.tenant.as('alice'),
      token: bearer(app.anonymous, (await mintToken(ours.tenant.key, 'alice')).token),
    };
  });
  afterAll(() => app.close());

  it('has examples for every path parameter of the document', () => {
    const names = new Set(ROUTES.flatMap((route) => route.pathParams));
    expect([...names].filter((name) => !(name in UNKNOWN))).toEqual([]);
    expect(Object.keys(theirs.ids).sort()).toEqual(Object.keys(UNKNOWN).sort());
    expect(ROUTES.length).toBeGreaterThan(20);
  });

  /** The path with foreign ids where `foreign` says so, and with our own elsewhere. */
  function pathOf(route: DocumentedRoute, foreign: ReadonlySet<string>, ids: Ids): string {
    const path = route.path.replace(/\{([^}]+)\}/g, (_, name: string) =>
      encodeURIComponent((foreign.has(name) ? ids : ours.ids)[name] ?? `no example for ${name}`),
    );
    // Those that the route takes in its query; it refuses others by name.
    const asked = Object.entries(ids).filter(([name]) => route.queryParams.includes(name));
    return `${path}?${new URLSearchParams(asked).toString()}`;
  }

  function call(client: Api, route: DocumentedRoute, foreign: ReadonlySet<string>, ids: Ids): Promise<Answer<unknown>> {
    return client.call(route.method, pathOf(route, foreign, ids), exampleOf(route, ids));
  }

  /** The documented example, with the ids in it replaced. PATCHes whose example is empty get a field to change. */
  function exampleOf({ body, path }: DocumentedRoute, ids: Ids): Record<string, unknown> | undefined {
    if (body === undefined) return undefined;
    const known =
      Object.keys(body).length > 0 ? body : path === '/admin/tenants/{tenant_id}' ? { name: 'taken over' } : {};
    return Object.fromEntries(
      Object.entries(known).map(([name, value]) => [
        name,
        ids[name] ?? (/^(user_ids|members)$/.test(name) ? [ids['user_id']] : value),
      ]),
    );
  }

  /** An answer without what differs from call to call, and with the ids in question made the same. */
  function comparable({ status, body }: Answer<unknown>, ids: Ids): unknown {
    let text = JSON.stringify(body) ?? '';
    for (const [name, id] of Object.entries(ids)) text = text.replaceAll(id, `<${name}>`);
    text = text
      .replace(/"request_id":"[^"]*"/g, '"request_id":"…"')
      .replace(/"(api_key|prefix|token)":"[^"]*"/g, '"$1":"…"')
      .replace(/(room|msg|tenant|key|notif|sub|chan|exp)_[0-9a-f]{32}/g, '$1_…')
      // Where a feed stands: it moves by itself.
      .replace(/"next":"[^"]*","has_more"/g, '"next":"…","has_more"')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…time…');
    return { status, text };
  }

  const withPathParams = ROUTES.filter((route) => route.pathParams.length > 0);
  const withoutPathParams = ROUTES.filter((route) => route.pathParams.length === 0);
  const label = ({ method, path }: DocumentedRoute): string => `${method} ${path}`;

  it.each(withPathParams.map((route) => [label(route), route] as const))(
    '%s: an id of another tenant is one that does not exist',
    async (_, route) => {
      const before = await rowsOf(app.database, uuidOf(theirs.tenant.tenantId));
      const given = route.pathParams.filter((name) => name !== NO_ID);
      const choices = [new Set(given), ...given.map((name) => new Set([name]))];
      for (const [credential, client] of Object.entries(clients))
        for (const foreign of choices) {
          const their = await call(client, route, foreign, theirs.ids);
          const nobodys = await call(client, route, foreign, UNKNOWN);
          expect(comparable(their, theirs.ids)).toEqual(comparable(nobodys, UNKNOWN));
          const isAllowed = route.schemes.includes(credential === 'token' ? 'bearer' : 'apiKey');
          // A user id names nothing of another tenant: it is another user of ours.
          const missing = label(route) === NOTHING_RUNS ? 204 : 404;
          const expected = isAllowed && !(foreign.has('user_id') && NAMES_A_USER.test(route.path)) ? missing : 403;
          expect([[...foreign], their.status]).toEqual([[...foreign], expected]);
          expect(JSON.stringify(their.body)).not.toContain('secret of the tenant');
        }
      expect(await rowsOf(app.database, uuidOf(theirs.tenant.tenantId))).toEqual(before);
    },
  );

  it.each(withoutPathParams.map((route) => [label(route), route] as const))(
    '%s: ids of another tenant in query and body are ids that do not exist',
    async (_, route) => {
      const before = await rowsOf(app.database, uuidOf(theirs.tenant.tenantId));
      for (const client of Object.values(clients)) {
        const their = await call(client, route, new Set(Object.keys(UNKNOWN)), theirs.ids);
        const nobodys = await call(client, route, new Set(Object.keys(UNKNOWN)), UNKNOWN);
        expect(comparable(their, theirs.ids)).toEqual(comparable(nobodys, UNKNOWN));
        expect(JSON.stringify(their.body)).not.toContain('secret of the tenant');
        // Else the walk was refused for another reason than the id in question.
        if (their.status === 400) expect(Object.keys(UNKNOWN)).toContain(errorOf(their).field);
      }
      expect(await rowsOf(app.database, uuidOf(theirs.tenant.tenantId))).toEqual(before);
    },
  );

  it('the same walk with our own ids does work, so it calls the routes rightly', async () => {
    const own = ROUTES.filter((route) => route.method === 'GET' && route.schemes.includes('apiKey'));
    const outcomes: [string, number][] = [];
    for (const route of own) {
      const { headers } = NAMES_A_USER.test(route.path) ? ours.tenant.key : ours.tenant.as('alice');
      const answer = await fetch(app.url + pathOf(route, new Set(), ours.ids), { headers });
      outcomes.push([label(route), answer.status]);
      // The stream of stats has no end.
      await answer.body?.cancel();
    }
    // Nothing is being answered that a stream could show.
    const good = (name: string): number => (/\/stream$/.test(name) && !name.includes('/stats/') ? 204 : 200);
    expect(outcomes.filter(([name, status]) => status !== good(name))).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(5);
  });

  it('lists hold nothing of another tenant', async () => {
    const text = JSON.stringify([
      (await clients['key']?.get('/rooms?scope=joinable'))?.body,
      (await ours.tenant.key.get(`/admin/tenants/${ours.tenant.tenantId}/keys`)).body,
      (await ours.tenant.as('member-of-theirs').get('/rooms')).body,
    ]);
    for (const id of [theirs.ids['room_id'], theirs.ids['key_id'], theirs.ids['tenant_id']])
      expect(text).not.toContain(id);
  });
});
