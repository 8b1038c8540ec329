import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { deadLetter } from '../support/dead-letters';
import { doneErasure } from '../support/erase';
import { readyExport } from '../support/exports';
import { type DocumentedRoute, documentedRoutes } from '../support/documented-routes';
import type { Api } from '../support/http/api';
import { deadJob } from '../support/jobs';
import { createChannel, createPreset } from '../support/models';
import { bodyOf, createRoom, sendAll } from '../support/rooms';
import { createKey, withKey } from '../support/tenants';
import { exportFile } from '../support/transfer/files';
import { validImport } from '../support/transfer/imports';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

/** What an operator's route may answer a credential: that it may, or why not. */
type May = 'yes' | 401 | 403 | 404;

/**
 * Who may what (contract §2, ruling 42), by the rule of a route. Each credential asks for things of one tenant: `foreign` is
 * the admin key of another one, for which they do not exist.
 */
const RULES = {
  /** The installation's own: tenants as a whole, their limits, jobs. */
  master: { master: 'yes', admin: 403, chat: 403, token: 403, foreign: 403 },
  /** What of a tenant that the caller manages is the master key's. */
  part: { master: 'yes', admin: 403, chat: 403, token: 403, foreign: 404 },
  /** A tenant's administration. */
  admin: { master: 'yes', admin: 'yes', chat: 403, token: 403, foreign: 404 },
  /** A tenant's dead letters may be seen with any of its keys. */
  anyKey: { master: 'yes', admin: 'yes', chat: 'yes', token: 403, foreign: 404 },
  /** A tenant's model channels and presets, by their ids. */
  model: { master: 401, admin: 'yes', chat: 403, token: 403, foreign: 404 },
  /** The same without an id: another tenant's key finds its own there. */
  ownModels: { master: 401, admin: 'yes', chat: 403, token: 403, foreign: 'yes' },
  /** Presets are read by whoever may talk to them. */
  preset: { master: 401, admin: 'yes', chat: 'yes', token: 'yes', foreign: 404 },
  ownPresets: { master: 401, admin: 'yes', chat: 'yes', token: 'yes', foreign: 'yes' },
  anybody: { master: 'yes', admin: 'yes', chat: 'yes', token: 'yes', foreign: 'yes' },
} as const satisfies Record<string, Record<string, May>>;

type Rule = keyof typeof RULES;
type Credential = keyof (typeof RULES)['master'];

interface Call {
  readonly rule: Rule;
  /** In place of the documented example; bytes are sent as they are. */
  readonly body?: object | Buffer;
  /** Beside the tenant's id, where the route takes that. */
  readonly query?: string;
  /** What has to have happened before. */
  readonly before?: (world: World) => Promise<unknown>;
  /** It cannot be done twice: whoever may do it does it to a tenant of their own. */
  readonly once?: true;
}

/**
 * Every route for operators with its rule, which stands here because the contract says so, not because the code does. A new
 * route is a line; a new kind of id in its path is one of MAKERS. What stands behind ` with ` tells calls of a route apart.
 */
const CALLS: Readonly<Record<string, Rule | Call>> = {
  'POST /admin/tenants': 'master',
  'GET /admin/tenants': 'master',
  'GET /admin/tenants/{tenant_id}': 'admin',
  'PATCH /admin/tenants/{tenant_id}': { rule: 'admin', body: { name: 'renamed' } },
  'PATCH /admin/tenants/{tenant_id} with limits': { rule: 'part', body: { limits: { users: null } } },
  'PATCH /admin/tenants/{tenant_id} with a status': { rule: 'part', body: { status: 'active' } },
  'DELETE /admin/tenants/{tenant_id}': { rule: 'master', query: 'confirm=test', once: true },
  'GET /admin/tenants/{tenant_id}/deletion': { rule: 'master', before: beginDeletion, once: true },
  'POST /admin/tenants/{tenant_id}/users/{user_id}/erase': { rule: 'admin', once: true },
  'GET /admin/tenants/{tenant_id}/erasures/{erasure_id}': 'admin',
  'POST /admin/tenants/{tenant_id}/exports': { rule: 'admin', once: true },
  'GET /admin/tenants/{tenant_id}/exports': 'admin',
  'GET /admin/tenants/{tenant_id}/exports/{export_id}': 'admin',
  'GET /admin/tenants/{tenant_id}/exports/{export_id}/file': 'admin',
  'POST /admin/tenants/{tenant_id}/exports/{export_id}/link': 'admin',
  'POST /admin/tenants/{tenant_id}/users/{user_id}/export': { rule: 'admin', once: true },
  'GET /admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}': 'admin',
  'GET /admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}/file': 'admin',
  'POST /admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}/link': 'admin',
  'POST /admin/tenants/{tenant_id}/imports': { rule: 'master', body: { source: 'chatapi' } },
  'GET /admin/tenants/{tenant_id}/imports': 'master',
  'GET /admin/tenants/{tenant_id}/imports/{import_id}': 'master',
  'PUT /admin/tenants/{tenant_id}/imports/{import_id}/file': {
    rule: 'master',
    query: 'part=1',
    body: exportFile([]),
  },
  'POST /admin/tenants/{tenant_id}/imports/{import_id}/validate': 'master',
  'POST /admin/tenants/{tenant_id}/imports/{import_id}/start': 'master',
  'GET /admin/tenants/{tenant_id}/keys': 'admin',
  'POST /admin/tenants/{tenant_id}/keys': 'admin',
  'POST /admin/tenants/{tenant_id}/keys/{key_id}/rotate': 'admin',
  'DELETE /admin/tenants/{tenant_id}/keys/{key_id}': 'admin',
  'GET /admin/tenants/{tenant_id}/webhook': 'admin',
  'POST /admin/tenants/{tenant_id}/webhook/rotate': 'admin',
  'POST /admin/tenants/{tenant_id}/webhook/test': 'admin',
  'GET /admin/tenants/{tenant_id}/webhook/deliveries': 'admin',
  'GET /admin/stats': 'admin',
  'GET /admin/stats/stream': 'admin',
  'GET /admin/stats/history': 'admin',
  'GET /admin/usage': 'admin',
  'GET /admin/connections': 'admin',
  'DELETE /admin/connections/{connection_id}': 'admin',
  'GET /admin/jobs': 'admin',
  'POST /admin/jobs/{job_id}/run': 'master',
  'GET /admin/rooms': 'admin',
  'GET /admin/rooms/{room_id}': 'admin',
  'GET /admin/rooms/{room_id} with content': { rule: 'admin', query: 'content=true' },
  'PATCH /admin/rooms/{room_id}': 'admin',
  'GET /admin/users': 'admin',
  'GET /admin/users/{user_id}': 'admin',
  'GET /admin/users/{user_id} with content': { rule: 'admin', query: 'content=true' },
  'PATCH /admin/users/{user_id}': 'admin',
  'GET /admin/audit': 'admin',
  'GET /admin/audit/verify': 'admin',
  'GET /rooms/{room_id}/messages/{message_id}/trace': 'admin',
  'GET /admin/dead-letters': 'anyKey',
  'POST /admin/dead-letters/replay': 'admin',
  'DELETE /admin/dead-letters/{id}': 'admin',
  'GET /api/channels/environment': 'master',
  'GET /api/channels': 'ownModels',
  'POST /api/channels': 'ownModels',
  'GET /api/channels/{channelId}': 'model',
  'POST /api/channels/{channelId}/test': 'model',
  'PATCH /api/channels/{channelId}': 'model',
  'DELETE /api/channels/{channelId}': 'model',
  'GET /api/presets': 'ownPresets',
  'POST /api/presets': 'ownModels',
  'GET /api/presets/{preset}': 'preset',
  'PATCH /api/presets/{preset}': 'model',
  'DELETE /api/presets/{preset}': 'model',
  'GET /whoami': 'anybody',
  'POST /can-i': 'anybody',
};

/** A tenant with a client for each credential. */
interface World {
  readonly app: TestApp;
  readonly tenant: TestTenant;
  readonly clients: Readonly<Record<Credential, Api>>;
}

const exportIds = new Map<string, Promise<string>>();

/** A tenant may have a few at once: its calls share one. */
function onlyExport(tenant: TestTenant, userId?: string): Promise<string> {
  const key = `${tenant.tenantId} ${userId ?? ''}`;
  const found = exportIds.get(key) ?? readyExport(tenant.key, tenant, userId).then(({ export_id }) => export_id);
  exportIds.set(key, found);
  return found;
}

/** Makes what an id in a path is of, in the world's tenant; each call has its own. */
const MAKERS: Readonly<Record<string, (world: World) => string | Promise<string>>> = {
  tenant_id: ({ tenant }) => tenant.tenantId,
  key_id: async ({ app, tenant }) => (await createKey(app, tenant)).key_id,
  room_id: async ({ tenant }) => (await createRoom(tenant.as('alice'), 'group', ['bob'])).room_id,
  user_id: () => 'bob',
  id: async ({ app, tenant }) => deadLetter(app, tenant, await saidRoom(tenant), 'bob'),
  channelId: async ({ tenant }) => (await createChannel(tenant.key, { name: unique(), provider: 'echo' })).id,
  preset: async ({ tenant }) => (await createPreset(tenant.key, { name: unique() })).name,
  erasure_id: ({ app, tenant }) => doneErasure(app.database, tenant),
  export_id: ({ tenant }) => onlyExport(tenant),
  user_export_id: ({ tenant }) => onlyExport(tenant, 'bob'),
  import_id: async ({ app, tenant }) => (await validImport(app.master, tenant, exportFile([]))).import_id,
  job_id: ({ app, tenant }) => deadJob(app.database, tenant),
  connection_id: async ({ app, tenant }) => {
    const client = await WsClient.admitted(app.url, { headers: keyOf(tenant, 'bob') });
    return String((await client.frame('hello'))['connection_id']);
  },
};

function sentOf(body: object | undefined): { readonly type: string; readonly body: string | Buffer } | undefined {
  if (body === undefined) return undefined;
  if (Buffer.isBuffer(body)) return { type: 'application/octet-stream', body };
  return { type: 'application/json', body: JSON.stringify(body) };
}

let made = 0;
const unique = (): string => `made-${++made}`;

async function saidRoom(tenant: TestTenant): Promise<string> {
  const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
  await sendAll(tenant.as('alice'), room_id, ['hello']);
  return room_id;
}

/** A value for each id of a path; a message is one of the room beside it. */
async function idsFor(world: World, { pathParams }: DocumentedRoute): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const name of pathParams.filter((each) => each !== 'message_id')) {
    const make = MAKERS[name];
    if (make === undefined) throw new Error(`MAKERS has nothing for ${name}`);
    ids.set(name, await make(world));
  }
  const roomId = ids.get('room_id');
  if (pathParams.includes('message_id') && roomId !== undefined)
    ids.set('message_id', (await sendAll(world.tenant.as('alice'), roomId, ['hello']))[0]?.message_id ?? '');
  return ids;
}

async function beginDeletion({ app, tenant }: World): Promise<void> {
  bodyOf(await app.master.delete(`/admin/tenants/${tenant.tenantId}?confirm=test`), 202);
}

async function worldOf(app: TestApp): Promise<World> {
  const [tenant, other] = [await app.tenant(), await app.tenant()];
  await createRoom(tenant.as('alice'), 'group', ['bob']);
  const webhook = { url: 'http://127.0.0.1:1/hook', events: [] };
  bodyOf(await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { webhook } }));
  const chat = (await createKey(app, tenant, { scopes: ['chat'] })).api_key;
  return {
    app,
    tenant,
    clients: {
      master: app.master,
      admin: app.anonymous.with({ 'x-api-key': (await createKey(app, tenant, { scopes: ['chat', 'admin'] })).api_key }),
      chat: withKey(app, chat),
      token: bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token),
      foreign: other.key,
    },
  };
}

const IS_FOR_OPERATORS = /^\/(admin|whoami$|can-i$|api\/channels|api\/presets)|\/trace$/;
const ROUTES = new Map(
  documentedRoutes()
    .filter(({ path }) => IS_FOR_OPERATORS.test(path))
    .map((route) => [`${route.method} ${route.path}`, route]),
);
const routeOf = (name: string): string => name.split(' with ')[0] ?? '';

describe('who may what, for operators', () => {
  let app: TestApp;
  let shared: World;

  beforeAll(async () => {
    app = await startTestApp({ env: { WEBHOOK_ALLOW_PRIVATE: 'true', OPENAI_BASE_URL: 'http://127.0.0.1:1' } });
    shared = await worldOf(app);
  });
  afterAll(() => app.close());

  it('is said of every route of the document, and of no other', () => {
    expect([...new Set(Object.keys(CALLS).map(routeOf))].sort()).toEqual([...ROUTES.keys()].sort());
  });

  async function statusOf(world: World, client: Api, route: DocumentedRoute, call: Call): Promise<number> {
    const ids = await idsFor(world, route);
    await call.before?.(world);
    const path = route.path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(ids.get(name) ?? ''));
    const query = new URLSearchParams(call.query);
    if (route.queryParams.includes('tenant_id')) query.set('tenant_id', world.tenant.tenantId);
    const sent = sentOf(call.body ?? route.body);
    const response = await fetch(`${app.url}${path}?${query.toString()}`, {
      method: route.method,
      headers: { ...client.headers, ...(sent === undefined ? {} : { 'content-type': sent.type }) },
      ...(sent === undefined ? {} : { body: sent.body }),
    });
    // A stream has no end.
    await response.body?.cancel();
    return response.status;
  }

  it.each(Object.entries(CALLS))('%s', async (name, said) => {
    const call: Call = typeof said === 'string' ? { rule: said } : said;
    const route = ROUTES.get(routeOf(name));
    if (route === undefined) throw new Error('the document has no such route');
    const rule: Readonly<Record<Credential, May>> = RULES[call.rule];
    const outcomes: Partial<Record<Credential, string | number>> = {};
    for (const credential of Object.keys(rule) as Credential[]) {
      const world = call.once === true ? await worldOf(app) : shared;
      const status = await statusOf(world, world.clients[credential], route, call);
      outcomes[credential] = status >= 200 && status < 300 ? 'yes' : status;
    }
    expect(outcomes).toEqual(rule);
  });
});
