import { connect } from 'node:net';
import type { Client } from 'pg';
import type { TestApp, TestTenant } from './app';
import { type Answer, Api } from './http/api';
import { addAgent } from './agents';
import { conversationIdOf, createChat } from './chats/http';
import { deadLetter } from './dead-letters';
import { send } from './messages';
import { routeSchemas, type DocumentedField, type RouteSchema, type Schema, withField } from './route-schemas';
import { createChannel, createPreset } from './models';
import { until } from './poll';
import { createRoom } from './rooms';
import { UNSTORABLE_LITERALS } from './unicode';
import { MAX_WAIT_MS } from './timing';

/** A route with a caller who may use it and a body that it takes. */
export interface RouteTarget {
  readonly route: RouteSchema;
  /** Shown in the names of tests. */
  readonly name: string;
  readonly by: Api;
  /** The path with ids that exist. */
  readonly path: string;
  readonly body: object;
}

/** The master key has 100 calls a second, which no setting changes: asks until the next second has come. */
class PatientApi extends Api {
  override call<T>(...call: Parameters<Api['call']>): Promise<Answer<T>> {
    return until(
      () => super.call<T>(...call),
      ({ status }) => status !== 429,
    );
  }
}

/** Things for the routes to work on, and the routes. */
export class BadInputFixture {
  private constructor(
    private readonly app: TestApp,
    /** Kept: two thousand looks of the tests would each begin with a connection. */
    private readonly rows: Client,
    readonly tenant: TestTenant,
    private readonly managed: TestTenant,
    private readonly ofModels: TestTenant,
    private readonly ids: Readonly<Record<string, string>>,
  ) {}

  static async create(app: TestApp): Promise<BadInputFixture> {
    const tenant = await app.tenant();
    // What the admin routes change is another tenant, or the caller would lock itself out.
    const managed = await app.tenant();
    const alice = tenant.as('alice');
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const { message_id } = await send(alice, room_id);
    await createPreset(tenant.key);
    const { agent_id } = await addAgent(alice, room_id, { preset: 'support' });
    const keys = `/admin/tenants/${managed.tenantId}/keys`;
    const key = await app.master.post<{ key_id: string }>(keys, { name: 'to be managed' });
    const manager = managed.as('alice');
    const theirs = await createRoom(manager, 'group', ['bob']);
    await send(manager, theirs.room_id);
    const id = await deadLetter(app, managed, theirs.room_id, 'bob');
    // With channels that lead nowhere nothing would be answered, and a test of one would leave this machine.
    const ofModels = await app.tenant();
    const { id: channelId } = await createChannel(ofModels.key, { provider: 'echo', enabled: false });
    const { name: preset } = await createPreset(ofModels.key);
    const chat = await createChat(tenant.key, 'bob');
    const ids = {
      chat_id: chat.id,
      conversation_id: conversationIdOf(chat.id),
      channelId,
      preset,
      tenant_id: managed.tenantId,
      key_id: key.body.key_id,
      room_id,
      message_id,
      key: 'good',
      agent_id,
      user_id: 'bob',
      id,
      until: '2099-01-31T12:00:00.000Z',
      muted_until: '2099-01-31T12:00:00.000Z',
      // Of a call that is asked about.
      path: '/rooms',
    };
    return new BadInputFixture(app, await app.database.connect(), tenant, managed, ofModels, ids);
  }

  /** Every route that takes a body, or any JSON at all. */
  targets(): RouteTarget[] {
    return routeSchemas().map((route) => ({
      route,
      name: `${route.method} ${route.path}`,
      by: this.callerOf(route),
      path: this.pathOf(route),
      body: this.bodyOf(route),
    }));
  }

  /** The route's path with ids that exist, or the given ones. */
  pathOf(route: RouteSchema, ids: Readonly<Record<string, string>> = {}): string {
    return route.path.replace(/\{([^}]+)\}/g, (_, name: string) => ids[name] ?? this.ids[name] ?? 'missing');
  }

  /** Everything that a bad request must not change, as text. */
  async fingerprint(): Promise<string> {
    // Good requests have had messages answered, notifications handed out, and so on: what is due ends first.
    await until(
      () => this.rows.query(`SELECT 1 FROM jobs WHERE state <> 'dead' AND run_at <= clock_timestamp()`),
      (due) => due.rowCount === 0,
    );
    const tables = [
      'tenants',
      'api_keys',
      'users',
      'rooms',
      'room_members',
      'room_agents',
      'messages',
      'room_events',
      'cursors',
      'dead_letters',
    ];
    tables.push(
      'model_channels',
      'presets',
      'chats',
      'runs',
      'notifications',
      'notification_deliveries',
      'subscriptions',
      'webhooks',
      'webhook_deliveries',
    );
    const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
    const { rows } = await this.rows.query(
      `SELECT ${counts.join(', ')}, (SELECT sum(last_rev) FROM rooms) AS revs, (SELECT count(*) FROM jobs) AS jobs,
         (SELECT count(*) FROM idempotency_keys) AS keys, (SELECT max(updated_at) FROM tenants) AS tenants_updated,
         (SELECT max(updated_at) FROM rooms) AS rooms_updated`,
    );
    return JSON.stringify(rows);
  }

  private callerOf(route: RouteSchema): Api {
    const isOfMaster = ['/admin/tenants', '/admin/jobs/{job_id}/run', '/api/channels/environment'].includes(route.path);
    const isPartOfMaster = /\/(imports|deletion)\b/.test(route.path);
    if (isOfMaster || isPartOfMaster || (route.method === 'DELETE' && route.path === '/admin/tenants/{tenant_id}'))
      return new PatientApi(this.app.master.baseUrl, this.app.master.headers);
    if (route.path.startsWith('/admin')) return this.managed.key;
    if (/^\/api\/(channels|presets)/.test(route.path)) return this.ofModels.key;
    // Whose chat it is: this API has no other way to say.
    if (route.path.startsWith('/api/ui/')) return this.tenant.as('bob');
    // Without a user: on these APIs a key may name any.
    return route.path.startsWith('/api/') ? this.tenant.key : this.tenant.as('alice');
  }

  private bodyOf({ body, path }: RouteSchema): object {
    const required = body?.required ?? (path.includes('{') ? Object.keys(body?.properties ?? {}).slice(0, 1) : []);
    // A webhook needs its URL before anything else of it is looked at; one without events does nothing.
    const webhook = { url: 'https://example.com/', events: [] };
    const settings =
      body?.properties?.['settings']?.properties?.['webhook'] === undefined ? {} : { settings: { webhook } };
    const fields = Object.fromEntries(
      required.map((name) => [name, this.ids[name] ?? goodValue(body?.properties?.[name] ?? {})]),
    );
    return { ...fields, ...settings };
  }
}

function goodValue(schema: Schema): unknown {
  if (schema.enum) return schema.enum.includes('group') ? 'group' : schema.enum[0];
  if (schema.type === 'string') return 'good';
  if (schema.type === 'boolean') return false;
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 0;
  if (schema.type === 'array') return [goodValue(schema.items ?? {})];
  const [first] = Object.entries(schema.properties ?? {});
  if (first !== undefined) return { [first[0]]: goodValue(first[1]) };
  return {};
}

const LONG = 300_000;

/** JSON texts that a field must refuse, whatever it is for. */
export function badLiterals({ schema, required }: DocumentedField): string[] {
  const bad = required ? ['null'] : [];
  const out = (value: unknown): void => void bad.push(JSON.stringify(value));
  if (schema.oneOf) {
    [-1, 1.5, '5', 'other', [], {}].forEach(out);
    if (!schema.oneOf.some(({ type }) => type === 'boolean')) out(true);
  } else if (schema.type === 'integer') {
    [true, [], {}, '5', '', 'five', 1.5].forEach(out);
    bad.push('1e308', '-1e308', '1e999', '9007199254740992', '9223372036854775808', '-9223372036854775809');
    if ((schema.minimum ?? -1) >= 0) bad.push('-1');
    if (schema.minimum === 1) bad.push('0', '-0');
  } else if (schema.type === 'number') {
    [true, [], {}, '0.5', '', 'half'].forEach(out);
    bad.push('1e999', '-1e999', '-0.001', String((schema.maximum ?? 0) + 0.001));
  } else if (schema.type === 'array') {
    [5, true, 'text', {}, [null], [[]], [{}], [5]].forEach(out);
    if ((schema.minItems ?? 0) > 0) out([]);
    if (schema.maxItems !== undefined) out(Array.from({ length: schema.maxItems + 1 }, (_, i) => `u${i}`));
    bad.push(...Object.values(UNSTORABLE_LITERALS).map((literal) => `[${literal}]`));
  } else if (schema.type === 'boolean') [5, 0, 1, 'true', 'text', [], {}].forEach(out);
  else if (schema.type === 'object') [5, true, [], 'text', [{}]].forEach(out);
  else {
    [5, 0, -1, 1.5, true, false, [], {}, ['text']].forEach(out);
    bad.push(...Object.values(UNSTORABLE_LITERALS));
    if ((schema.minLength ?? 0) > 0 || schema.enum || schema.pattern) out('');
    if (schema.maxLength !== undefined) out('x'.repeat(schema.maxLength + 1));
    if (schema.enum || schema.pattern) ['no such', 'é', ' ', 'x'.repeat(1000)].forEach(out);
  }
  return bad.filter((literal) => literal.length < LONG);
}

/** A raw body in which one field has this JSON text; an object that it is in has what it must have beside it. */
export function rawWith(target: RouteTarget, path: readonly string[], literal: string): string {
  const mark = '@@here@@';
  let body = target.body;
  let { body: schema } = target.route;
  for (const [depth, name] of path.slice(0, -1).entries()) {
    schema = schema?.properties?.[name];
    const { required = [], properties = {} } = schema ?? {};
    for (const sibling of required)
      body = withField(body, [...path.slice(0, depth + 1), sibling], goodValue(properties[sibling] ?? {}));
  }
  return JSON.stringify(withField(body, path, mark)).replace(JSON.stringify(mark), () => literal);
}

/** Sends bytes as they are and returns the whole answer; the server ends the connection, or `Connection: close` does. */
export function speakRaw(url: string, bytes: string | Buffer): Promise<Answer<unknown>> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.setTimeout(MAX_WAIT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = text.split(/\r\n\r\n/, 2);
      const [first = '', ...lines] = head.split('\r\n');
      const headers = new Headers(lines.map((line) => line.split(/: */, 2) as [string, string]));
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0);
      resolve({ status, headers, body: body.startsWith('{') ? (JSON.parse(body) as unknown) : body });
    });
  });
}
