import { unavailable } from '../../src/common/errors';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, forgeries, JWT_SECRET, mintToken } from '../support/auth';
import { captureLog } from '../support/recording-log';
import { errorOf, metricOf } from '../support/http/api';
import { until } from '../support/poll';
import { createKey, keysPath } from '../support/tenants';
import { type ConnectOptions, type RefusedUpgrade, WsClient } from '../support/ws/client';
import { RawSocket, upgradeRequest } from '../support/ws/raw';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

const log = captureLog('debug');
let app: SocketApp;
let tenant: TestTenant;

beforeAll(async () => {
  app = await startSocketApp({ env: { JWT_SECRET, DATABASE_DEADLINE_MS: '4000' }, log: log.log });
  tenant = await app.tenant();
});
afterAll(() => app.close());

async function ticketOf(userId = 'alice'): Promise<string> {
  return (await tenant.as(userId).post<{ token: string }>('/ws/token')).body.token;
}

/** Opens a socket, asks who it is, and closes it. */
async function userOf(options: ConnectOptions): Promise<unknown> {
  const client = await WsClient.connect(app.url, options);
  const hello = await client.frame('hello');
  await client.close();
  return hello['user_id'];
}

function refused(options: ConnectOptions): Promise<RefusedUpgrade> {
  return WsClient.refused(app.url, options);
}

describe('opening /ws', () => {
  it('says hello first', async () => {
    const client = await app.open(tenant);
    await client.frame('hello');
    expect(client.frames[0]).toEqual({
      type: 'hello',
      connection_id: expect.stringMatching(/^conn_[0-9a-f]{32}$/),
      user_id: 'alice',
      tenant_id: tenant.tenantId,
      epoch: 1,
      heartbeat_ms: 30_000,
      limits: { ws_messages_per_second: 10, other_frames_per_second: 100, frame_bytes: 786_432 },
    });
    await client.close();
  });

  describe('with every credential', () => {
    it.each<[string, () => Promise<ConnectOptions>]>([
      ['a key and a user id in headers', async () => ({ headers: keyOf(tenant) })],
      [
        'a key in a header, the user id in the URL',
        async () => ({ headers: { 'x-api-key': tenant.apiKey }, query: { user_id: 'alice' } }),
      ],
      ['both in the URL', async () => ({ query: { api_key: tenant.apiKey, user_id: 'alice' } })],
      ['a slash at the end of the path', async () => ({ headers: keyOf(tenant), path: '/ws/' })],
      [
        'a user token as Bearer',
        async () => ({ headers: { authorization: `Bearer ${(await mintToken(tenant.key, 'alice')).token}` } }),
      ],
      ['a user token in the URL', async () => ({ query: { token: (await mintToken(tenant.key, 'alice')).token } })],
      ['a ticket in the URL', async () => ({ query: { token: await ticketOf() } })],
      [
        'a ticket that a token got',
        async () => {
          const { token } = await mintToken(tenant.key, 'alice');
          const { body } = await bearer(app.anonymous, token).post<{ token: string }>('/ws/token');
          return { query: { token: body.token } };
        },
      ],
      [
        'Bearer before a key',
        async () => {
          const authorization = `Bearer ${(await mintToken(tenant.key, 'alice')).token}`;
          return { headers: { ...keyOf(tenant, 'bob'), authorization } };
        },
      ],
      [
        'a token in the URL before a key in headers',
        async () => ({ headers: keyOf(tenant, 'bob'), query: { token: (await mintToken(tenant.key, 'alice')).token } }),
      ],
      [
        'another scheme of Authorization beside a key',
        async () => ({ headers: { ...keyOf(tenant), authorization: 'Basic eDp5' } }),
      ],
    ])('%s', async (_name, make) => {
      expect(await userOf(await make())).toBe('alice');
    });
  });

  it('echoes the request id and speaks no extension', async () => {
    const raw = await RawSocket.open(app.url);
    raw.write(
      upgradeRequest({
        ...keyOf(tenant),
        'X-Request-Id': 'my-id',
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
      }),
    );
    const head = await raw.head();
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head).toContain('X-Request-Id: my-id');
    expect(head).not.toMatch(/extensions/i);
    raw.destroy();
  });
});

describe('refusals', () => {
  /** A refusal over HTTP, and as a socket that closes. */
  const CASES: [string, () => Promise<ConnectOptions>, number, string, number][] = [
    ['no credential', async () => ({}), 401, 'AUTHENTICATION_ERROR', 4003],
    [
      'a key without a user',
      async () => ({ headers: { 'x-api-key': tenant.apiKey } }),
      401,
      'AUTHENTICATION_ERROR',
      4003,
    ],
    [
      'an unknown key',
      async () => ({ headers: { ...keyOf(tenant), 'x-api-key': 'chatapi_no' } }),
      401,
      'AUTHENTICATION_ERROR',
      4003,
    ],
    ['a bad user id', async () => ({ headers: keyOf(tenant, 'a,b') }), 400, 'VALIDATION_ERROR', 4001],
    [
      'a bad user id in the URL',
      async () => ({ query: { api_key: tenant.apiKey, user_id: 'a b' } }),
      400,
      'VALIDATION_ERROR',
      4001,
    ],
    ['no token', async () => ({ query: { token: 'x y' } }), 401, 'AUTHENTICATION_ERROR', 4003],
    ['no ticket', async () => ({ query: { token: 'wst_x' } }), 401, 'AUTHENTICATION_ERROR', 4003],
    [
      'a user token for somebody else',
      async () => ({ query: { token: (await mintToken(tenant.key, 'alice')).token, user_id: 'bob' } }),
      403,
      'AUTHORIZATION_ERROR',
      4004,
    ],
    [
      'a ticket where a user token belongs',
      async () => ({ query: { token: (await ticketOf()).replace('wst_', '') } }),
      401,
      'AUTHENTICATION_ERROR',
      4003,
    ],
    ['an unknown path', async () => ({ headers: keyOf(tenant), path: '/wss' }), 404, 'NOT_FOUND', 4004],
  ];

  it.each(CASES)('%s: over HTTP', async (_name, make, status, code) => {
    const answer = await refused(await make());
    expect(answer).toMatchObject({
      status,
      headers: { connection: 'close', 'content-type': 'application/json; charset=utf-8' },
      body: { success: false, data: null, error: { code, request_id: answer.headers['x-request-id'] } },
    });
  });

  it.each(CASES)('%s: with close_codes=1 on the socket', async (_name, make, _status, code, closeCode) => {
    const options = await make();
    const query = { ...(options.query as Record<string, string> | undefined), close_codes: '1' };
    const client = await WsClient.connect(app.url, { ...options, query });
    expect(await client.ended()).toMatchObject({ code: closeCode });
    expect(client.frames).toEqual([
      expect.objectContaining({ type: 'error', code, message: expect.any(String), retryable: false }),
    ]);
  });

  it('every forged token', async () => {
    const { token } = await mintToken(tenant.key, 'alice');
    for (const [name, forged] of Object.entries(forgeries(token))) {
      const { status } = await refused({ query: { token: forged } });
      expect({ name, status }).toEqual({ name, status: 401 });
    }
  });

  it('a ticket that was used before, also at the same time', async () => {
    const token = await ticketOf();
    const tries = await Promise.all(
      Array.from({ length: 5 }, () => WsClient.connect(app.url, { query: { token } }).catch(() => undefined)),
    );
    const open = tries.filter((client) => client !== undefined);
    expect(open).toHaveLength(1);
    expect((await refused({ query: { token } })).body.error).toMatchObject({ code: 'AUTHENTICATION_ERROR' });
    await open[0]?.close();
  });

  it('a ticket refused for another reason stays good', async () => {
    const narrow = await app.tenant({ requests_per_second: null, ws_connections_per_user: 1 });
    const { body } = await narrow.as('alice').post<{ token: string }>('/ws/token');
    const first = await app.open(narrow);
    expect((await refused({ query: { token: body.token } })).status).toBe(429);
    await first.close();
    const second = await connectedOnceFree({ query: { token: body.token } });
    await second.close();
  });

  it('tickets and tokens of a revoked key', async () => {
    const { key_id, api_key } = await createKey(app, tenant);
    const key = app.anonymous.with({ 'x-api-key': api_key, 'x-user-id': 'alice' });
    const { body } = await key.post<{ token: string }>('/ws/token');
    const { token } = await mintToken(key, 'alice');
    await app.master.delete(`${keysPath(tenant)}/${key_id}`);
    const asked: ConnectOptions[] = [
      { query: { token: body.token } },
      { query: { token } },
      { headers: { 'x-api-key': api_key, 'x-user-id': 'alice' } },
    ];
    for (const options of asked) expect((await refused(options)).status).toBe(401);
  });

  it('a suspended tenant', async () => {
    const other = await app.tenant();
    await app.master.patch(`/admin/tenants/${other.tenantId}`, { status: 'suspended' });
    expect(await refused({ headers: keyOf(other) })).toMatchObject({
      status: 403,
      body: { error: { code: 'AUTHORIZATION_ERROR' } },
    });
  });

  it('an origin outside of the tenant’s list; one inside is let in, and so is no origin', async () => {
    const listed = await app.tenant(undefined, { allowed_origins: ['https://app.example'] });
    const from = (origin?: string): ConnectOptions => ({
      headers: { ...keyOf(listed), ...(origin === undefined ? {} : { origin }) },
    });
    expect(await userOf(from('https://app.example'))).toBe('alice');
    expect(await userOf(from())).toBe('alice');
    expect((await refused(from('https://evil.example'))).status).toBe(403);
  });

  it('more connections than a user may have, until one is over', async () => {
    const narrow = await app.tenant({ requests_per_second: null, ws_connections_per_user: 2 });
    const two = [await app.open(narrow), await app.open(narrow)];
    const answer = await refused({ headers: keyOf(narrow) });
    expect(answer).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
      body: { error: { code: 'RATE_LIMIT_EXCEEDED', details: { limit: 'ws_connections_per_user' } } },
    });
    const third = await WsClient.connect(app.url, { headers: keyOf(narrow), query: { close_codes: '1' } });
    expect(await third.ended()).toMatchObject({ code: 4029 });
    expect(third.frames[0]).toMatchObject({ type: 'error', retryable: true, retry_after_ms: expect.any(Number) });
    await (await app.open(narrow, 'bob')).close();
    expect(two.every((client) => client.isOpen)).toBe(true);
    await two[0]?.close();
    await (await connectedOnceFree({ headers: keyOf(narrow) })).close();
    await two[1]?.close();
  });

  it('more connections than a tenant may have; 0 is none, null is unlimited', async () => {
    const one = await app.tenant({ requests_per_second: null, ws_connections: 1 });
    const client = await app.open(one);
    expect((await refused({ headers: keyOf(one, 'bob') })).body.error).toMatchObject({
      details: { limit: 'ws_connections' },
    });
    await client.close();
    const none = await app.tenant({ requests_per_second: null, ws_connections: 0 });
    expect((await refused({ headers: keyOf(none) })).status).toBe(429);
    const all = await app.tenant({ requests_per_second: null, ws_connections: null, ws_connections_per_user: null });
    const many = await Promise.all(Array.from({ length: 25 }, () => app.open(all)));
    await Promise.all(many.map((each) => each.close()));
  });

  it('concurrent upgrades get exactly the places that there are', async () => {
    const narrow = await app.tenant({ requests_per_second: null, ws_connections_per_user: 5 });
    const tries = await Promise.all(Array.from({ length: 20 }, () => app.open(narrow).catch(() => undefined)));
    const open = tries.filter((client) => client !== undefined);
    expect(open).toHaveLength(5);
    await Promise.all(open.map((client) => client.close()));
  });

  it.each<[string, Record<string, string | undefined>, number, RegExp]>([
    ['a version that nobody speaks', { 'Sec-WebSocket-Version': '7' }, 426, /Sec-WebSocket-Version: 13/],
    ['no version', { 'Sec-WebSocket-Version': undefined }, 426, /Sec-WebSocket-Version: 13/],
    ['no key', { 'Sec-WebSocket-Key': undefined }, 400, /Sec-WebSocket-Key/],
    ['a bad key', { 'Sec-WebSocket-Key': 'short' }, 400, /Sec-WebSocket-Key/],
    ['a bad subprotocol', { 'Sec-WebSocket-Protocol': 'a,,b' }, 400, /Sec-WebSocket-Protocol/],
    ['no host', { Host: undefined }, 400, /Host/],
  ])('no handshake: %s', async (_name, headers, status, text) => {
    const raw = await RawSocket.open(app.url);
    raw.write(upgradeRequest({ ...keyOf(tenant), ...headers }, '/ws?close_codes=1'));
    const answer = await raw.rest();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(text);
    expect(answer).toContain('"code":"VALIDATION_ERROR"');
  });

  it('a method other than GET', async () => {
    const raw = await RawSocket.open(app.url);
    raw.write(upgradeRequest(keyOf(tenant)).toString().replace('GET', 'POST'));
    expect(await raw.rest()).toMatch(/^HTTP\/1\.1 405 [^]*Allow: GET[^]*"METHOD_NOT_ALLOWED"/);
  });

  it('a plain request: it is told what the path is for', async () => {
    const answer = await app.anonymous.get('/ws');
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toMatch(/WebSocket/);
  });

  it('an offer of another protocol is ignored and the request answered', async () => {
    const raw = await RawSocket.open(app.url);
    const body = '{"user_id":"alice"}';
    const about = {
      ...keyOf(tenant),
      Upgrade: 'h2c',
      Connection: 'Upgrade, HTTP2-Settings',
      'HTTP2-Settings': 'AAMAAABk',
    };
    raw.write(
      upgradeRequest({ ...about, 'Content-Type': 'application/json', 'Content-Length': String(body.length) }, '/tokens')
        .toString()
        .replace('GET', 'POST') + body,
    );
    expect(await raw.head()).toMatch(/^HTTP\/1\.1 201 /);
    raw.destroy();
  });
});

/** The place of a socket that was closed is free as soon as the server has seen its end. */
async function connectedOnceFree(options: ConnectOptions): Promise<WsClient> {
  for (let tries = 0; tries < 200; tries++) {
    const client = await WsClient.connect(app.url, options).catch(() => undefined);
    if (client) return client;
  }
  throw new Error('the place never became free');
}

describe('a socket that dies during the checks', () => {
  it('takes no place', async () => {
    const narrow = await app.tenant({ requests_per_second: null, ws_connections_per_user: 1 });
    const holder = await app.database.connect();
    await holder.query('BEGIN; LOCK TABLE ws_tickets IN ACCESS EXCLUSIVE MODE');
    const { body } = await narrow.as('alice').post<{ token: string }>('/ws/token');
    const raw = await RawSocket.open(app.url);
    raw.write(upgradeRequest({}, `/ws?token=${body.token}`));
    await waitsForTickets(app);
    raw.socket.resetAndDestroy();
    await holder.query('COMMIT');
    await holder.end();
    await (await connectedOnceFree({ headers: keyOf(narrow) })).close();
  });
});

/** Somebody waits for the lock on the tickets. */
async function waitsForTickets({ database }: TestApp): Promise<void> {
  for (;;) {
    const [row] = await database.sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    if ((row?.n ?? 0) > 0) return;
  }
}

describe('what fails on our side', () => {
  it('a ticket while the database does not answer: 503 and 1013', async () => {
    const tokens = [await ticketOf(), await ticketOf()];
    const holder = await app.database.connect();
    await holder.query('BEGIN; LOCK TABLE ws_tickets IN ACCESS EXCLUSIVE MODE');
    const [answer, client] = await Promise.all([
      refused({ query: { token: tokens[0] ?? '' } }),
      WsClient.connect(app.url, { query: { token: tokens[1] ?? '', close_codes: '1' } }),
    ]);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(await client.ended()).toMatchObject({ code: 1013 });
    expect(client.frames[0]).toMatchObject({ type: 'error', code: 'SERVICE_UNAVAILABLE', retryable: true });
    await holder.query('COMMIT');
    await holder.end();
  });

  it.each<[string, Error, number, string]>([
    ['an expected failure', unavailable('not now'), 1013, 'SERVICE_UNAVAILABLE'],
    ['a fault', new Error('secret detail'), 1011, 'INTERNAL_ERROR'],
  ])('%s of a handler closes that connection', async (_name, error, code, name) => {
    app.handler.gate = Promise.reject(error);
    const client = await app.open(tenant);
    expect(await client.ended()).toMatchObject({ code, reason: expect.not.stringContaining('secret') });
    expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: name, retryable: true });
    app.handler.gate = Promise.resolve();
  });
});

describe('the metrics', () => {
  it('count open sockets, what is written, and refusals by reason', async () => {
    const read = (series: string): Promise<number> => metricOf(app.anonymous, series);
    const open = 'chatapi_ws_connections{path="/ws"}';
    const frames = 'chatapi_ws_sent_frames_total';
    const refusals = 'chatapi_ws_refused_total{reason="unauthenticated"}';
    const before = { open: await read(open), frames: await read(frames), refusals: await read(refusals) };
    const client = await app.open(tenant);
    await client.frame('hello');
    await refused({});
    expect(await read(open)).toBe(before.open + 1);
    expect(await read(frames)).toBeGreaterThan(before.frames);
    expect(await read(refusals)).toBe(before.refusals + 1);
    await client.close();
    await until(
      () => read(open),
      (now) => now === before.open,
    );
  });
});

describe('what is kept to ourselves', () => {
  it('no secret of a URL is logged', async () => {
    const { token } = await mintToken(tenant.key, 'alice');
    const ticket = await ticketOf();
    const secrets = [token, ticket, tenant.apiKey];
    await userOf({ query: { token } });
    await userOf({ query: { token: ticket } });
    await refused({ query: { token: ticket } });
    await userOf({ query: { api_key: tenant.apiKey, user_id: 'alice' } });
    await refused({ query: { api_key: tenant.apiKey } });
    await refused({ path: `/ws/${token}` });
    for (const secret of secrets) expect(log.text()).not.toContain(secret);
    expect(log.text()).toContain('upgrade refused');
  });
});

describe('a server that takes no key in the URL', () => {
  let strict: TestApp;

  beforeAll(async () => {
    strict = await startTestApp({ env: { ALLOW_API_KEY_IN_QUERY: 'false' } });
  });
  afterAll(() => strict.close());

  it('refuses it, and takes headers', async () => {
    const own = await strict.tenant();
    const answer = await WsClient.refused(strict.url, { query: { api_key: own.apiKey, user_id: 'alice' } });
    expect(answer).toMatchObject({ status: 401, body: { error: { message: expect.stringMatching(/URL/) } } });
    await (await WsClient.connect(strict.url, { headers: keyOf(own) })).close();
  });
});
