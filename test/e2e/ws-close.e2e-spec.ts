import type { TestTenant } from '../support/app';
import { JWT_SECRET, mintToken } from '../support/auth';
import { metricOf } from '../support/http/api';
import { until } from '../support/poll';
import { createKey, keysPath, withKey } from '../support/tenants';
import { WsClient } from '../support/ws/client';
import { clientFrame, RawSocket } from '../support/ws/raw';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';
import { toWire } from '../../src/realtime';

const MAX = 768 * 1024;
/** Looked after often; but nobody is silent, however long a machine takes for megabytes. */
const HEARTBEAT = { WS_HEARTBEAT_MS: '200', WS_SILENCE_MS: '120000' };

let app: SocketApp;
let tenant: TestTenant;
/** Beside every hostile client there is this one, and it must not notice. */
let healthy: WsClient;

beforeAll(async () => {
  app = await startSocketApp({ env: { JWT_SECRET, ...HEARTBEAT } });
  tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
  healthy = await app.open(tenant, 'healthy');
});
afterEach(async () => {
  await healthy.settled();
  expect(healthy.isOpen).toBe(true);
});
afterAll(() => app.close());

/** A frame as it would come from a room. */
function messageFrame(seq: number, content = 'x'): Buffer {
  const about = { message_id: 'msg_1', room_id: 'room_1', sender_id: 'alice', seq, rev: seq };
  const empty = { meta: null, client_message_id: null, edited_at: null, deleted_at: null };
  return toWire({ type: 'message', ...about, ...empty, content, created_at: new Date(0).toISOString() });
}

function typingFrame(room_id: string, user_id: string): Buffer {
  return toWire({ type: 'typing', room_id, user_id, action: 'start' });
}

const metric = (series: string): Promise<number> => metricOf(app.anonymous, series);

function closes(code: number): Promise<number> {
  return metric(`chatapi_ws_closes_total{code="${code}"}`);
}

describe('violations of RFC 6455', () => {
  const half = 'x'.repeat(MAX / 2);
  it.each<[string, number, () => Buffer]>([
    ['a bad opcode', 1002, () => clientFrame(3, 'x')],
    ['a frame that is not masked', 1002, () => clientFrame(1, 'x', { masked: false })],
    ['a reserved bit', 1002, () => clientFrame(1, 'x', { reserved: 0x40 })],
    ['a close code that nobody may send', 1002, () => clientFrame(8, Buffer.from([3, 237]))],
    ['a close of one byte', 1002, () => clientFrame(8, Buffer.from([3]))],
    ['a continuation of nothing', 1002, () => clientFrame(0, 'x')],
    ['a ping in pieces', 1002, () => clientFrame(9, 'x', { fin: false })],
    ['a ping that is too long', 1002, () => clientFrame(9, 'x'.repeat(126))],
    ['text that is no UTF-8', 1007, () => clientFrame(1, Buffer.from([0xc3, 0x28]))],
    ['a reason that is no UTF-8', 1007, () => clientFrame(8, Buffer.from([3, 232, 0xc3, 0x28]))],
    ['a frame of one byte too many', 1009, () => clientFrame(1, 'x'.repeat(MAX + 1))],
    [
      'a message of one byte too many in pieces',
      1009,
      () => Buffer.concat([clientFrame(1, half, { fin: false }), clientFrame(0, `${half}x`)]),
    ],
  ])('%s closes %d, and is counted', async (_name, code, bytes) => {
    const before = await closes(code);
    const raw = await RawSocket.upgraded(app.url, keyOf(tenant, 'hostile'));
    raw.write(bytes());
    expect(await raw.closeCode()).toBe(code);
    raw.socket.end();
    await raw.ended();
    await until(
      () => closes(code),
      (now) => now === before + 1,
    );
  });

  it('the largest message is let through, whole and in pieces', async () => {
    const client = await app.open(tenant, 'large');
    const connection = await app.handler.of(client);
    const text = `"${'x'.repeat(MAX - 2)}"`;
    client.ws.send(text);
    client.ws.send(text.slice(0, 1000), { fin: false });
    client.ws.send(text.slice(1000));
    await until(
      async () => app.handler.textsOf(connection).length,
      (n) => n === 2,
    );
    expect(app.handler.textsOf(connection)).toEqual([text, text]);
    expect(client.isOpen).toBe(true);
    await client.close();
  });

  it('a client that resets is counted without a code', async () => {
    const before = await closes(1006);
    const raw = await RawSocket.upgraded(app.url, keyOf(tenant, 'hostile'));
    raw.socket.resetAndDestroy();
    await until(
      () => closes(1006),
      (now) => now === before + 1,
    );
  });
});

describe('S16: 4004', () => {
  it('when the tenant is suspended: what a new upgrade of it is closed with', async () => {
    const suspended = await app.tenant();
    const { token } = await mintToken(suspended.key, 'carol');
    const clients = [
      await app.open(suspended),
      await app.open(suspended, 'bob'),
      await WsClient.connect(app.url, { query: { token } }),
    ];
    await app.master.patch(`/admin/tenants/${suspended.tenantId}`, { status: 'suspended' });
    for (const client of clients) {
      expect(await client.ended()).toMatchObject({ code: 4004 });
      expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'AUTHORIZATION_ERROR', retryable: false });
    }
    const refused = await WsClient.connect(app.url, { query: { token, close_codes: '1' } });
    expect(await refused.ended()).toMatchObject({ code: 4004 });
  });
});

describe('4003', () => {
  it('when the key is revoked: the sockets of the key, its tokens and its tickets, and no others', async () => {
    const { key_id, api_key } = await createKey(app, tenant);
    const key = withKey(app, api_key, 'carol');
    const { token } = await mintToken(key, 'carol');
    const { body } = await key.post<{ token: string }>('/ws/token');
    const clients = await Promise.all([
      WsClient.connect(app.url, { headers: { 'x-api-key': api_key, 'x-user-id': 'carol' } }),
      WsClient.connect(app.url, { query: { token } }),
      WsClient.connect(app.url, { query: { token: body.token } }),
    ]);
    await app.master.delete(`${keysPath(tenant)}/${key_id}`);
    for (const client of clients) {
      expect(await client.ended()).toMatchObject({ code: 4003 });
      expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'AUTHENTICATION_ERROR', retryable: false });
    }
  });

  it('when another node revoked it', async () => {
    const { key_id, api_key } = await createKey(app, tenant);
    const client = await WsClient.connect(app.url, { headers: { 'x-api-key': api_key, 'x-user-id': 'carol' } });
    await app.database.sql(
      `UPDATE api_keys SET revoked_at = clock_timestamp(), updated_at = clock_timestamp()
       WHERE 'key_' || replace(key_id::text, '-', '') = $1`,
      [key_id],
    );
    expect(await client.ended(5000)).toMatchObject({ code: 4003 });
  });

  it('when the tenant is gone', async () => {
    const gone = await app.tenant();
    const client = await app.open(gone);
    await app.database.sql(`DELETE FROM tenants WHERE 'tenant_' || replace(tenant_id::text, '-', '') = $1`, [
      gone.tenantId,
    ]);
    expect(await client.ended(5000)).toMatchObject({ code: 4003 });
  });

  it('when the token ends; a ticket made with it lives no longer', async () => {
    const { token } = await mintToken(tenant.key, 'dave', 2);
    const { body } = await app.anonymous
      .with({ authorization: `Bearer ${token}` })
      .post<{ token: string }>('/ws/token');
    const clients = await Promise.all([
      WsClient.connect(app.url, { query: { token } }),
      WsClient.connect(app.url, { query: { token: body.token } }),
      WsClient.connect(app.url, { query: { token: await ticketOfKey() } }),
    ]);
    for (const client of clients.slice(0, 2)) {
      expect(await client.ended(5000)).toMatchObject({ code: 4003 });
      expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'AUTHENTICATION_ERROR' });
    }
    expect(clients[2]?.isOpen).toBe(true);
    await clients[2]?.close();
  });

  it('when the key expires, also where a rotation says so later', async () => {
    const soon = await createKey(app, tenant, { expires_at: new Date(Date.now() + 1500).toISOString() });
    const rotated = await createKey(app, tenant);
    const headers = (apiKey: string) => ({ headers: { 'x-api-key': apiKey, 'x-user-id': 'erin' } });
    const clients = [
      await WsClient.connect(app.url, headers(soon.api_key)),
      await WsClient.connect(app.url, headers(rotated.api_key)),
    ];
    await app.master.post(`${keysPath(tenant)}/${rotated.key_id}/rotate`, { overlap_seconds: 1 });
    for (const client of clients) expect(await client.ended(6000)).toMatchObject({ code: 4003 });
  });

  async function ticketOfKey(): Promise<string> {
    return (await tenant.as('dave').post<{ token: string }>('/ws/token')).body.token;
  }
});

describe('a tenant’s changed limits', () => {
  it('are in force for connections that are open', async () => {
    const other = await app.tenant({ ws_messages_per_second: 3 });
    const connection = await app.handler.of(await app.open(other));
    const limits = (): unknown => connection.caller.tenant?.limits;
    expect(limits()).toEqual({ ws_messages_per_second: 3 });
    await app.master.patch(`/admin/tenants/${other.tenantId}`, { limits: { ws_messages_per_second: 7 } });
    await until(
      async () => limits(),
      (now) => JSON.stringify(now) === '{"ws_messages_per_second":7}',
    );
  });
});

describe('a tenant’s changed number of connections', () => {
  it('holds for the next one, and evicts none', async () => {
    const other = await app.tenant({ requests_per_second: null, ws_connections_per_user: 1 });
    const change = (limits: object) => app.master.patch(`/admin/tenants/${other.tenantId}`, { limits });
    const refused = () => WsClient.refused(app.url, { headers: keyOf(other) });
    const first = await app.open(other);
    expect((await refused()).status).toBe(429);
    await change({ ws_connections_per_user: 2 });
    const second = await app.open(other);
    await change({ ws_connections: 0 });
    expect(await refused()).toMatchObject({ status: 429, body: { error: { details: { limit: 'ws_connections' } } } });
    for (const client of [first, second]) {
      expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
      await client.close();
    }
  });
});

describe('4009', () => {
  const big = messageFrame(1, 'x'.repeat(100_000));

  it('closes a client that does not read while more than 1 MB waits, and cuts it', async () => {
    const client = await app.open(tenant, 'slow');
    const connection = await app.handler.of(client);
    const before = await closes(4009);
    client.ws.pause();
    await sendUntilClosed(
      () => connection.sendFrame(big),
      () => connection.isOpen,
    );
    expect(connection.isOpen).toBe(false);
    await until(
      () => closes(4009),
      (now) => now === before + 1,
    );
    client.ws.resume();
    expect([1006, 4009]).toContain((await client.ended()).code);
  });

  it('tells a client so that reads again before it is cut', async () => {
    const client = await app.open(tenant, 'slow');
    const connection = await app.handler.of(client);
    client.ws.pause();
    await sendUntilClosed(
      () => connection.sendFrame(big),
      () => connection.isOpen,
    );
    client.ws.resume();
    expect(await client.ended()).toMatchObject({ code: 4009, reason: expect.stringMatching(/slow/i) });
  });

  it('also when nothing new is sent', async () => {
    const client = await app.open(tenant, 'slow');
    const connection = await app.handler.of(client);
    const before = await closes(4009);
    client.ws.pause();
    // One turn's worth, more than the system takes for a client that does not read.
    for (let i = 0; i < 150; i++) connection.sendFrame(big);
    await until(
      () => closes(4009),
      (now) => now === before + 1,
    );
    expect(connection.isOpen).toBe(false);
    client.ws.resume();
    await client.ended();
  });

  it('is no matter of one large turn to a client that reads', async () => {
    const client = await app.open(tenant, 'reader');
    const connection = await app.handler.of(client);
    for (let i = 0; i < 150; i++) connection.sendFrame(big);
    await client.many('message', 150);
    expect(client.isOpen).toBe(true);
    await client.close();
  });

  it('history does not count, but what is live behind it does', async () => {
    const client = await app.open(tenant, 'slow');
    const connection = await app.handler.of(client);
    client.ws.pause();
    for (let turn = 0; turn < 20; turn++) {
      for (let i = 0; i < 10; i++) connection.sendHistory(big);
      await turnOver();
    }
    expect(connection.waiting).toBeGreaterThan(4 * 1024 * 1024);
    expect(connection.isOpen).toBe(true);
    const drained = new Promise<void>((resolve) => connection.onceBelow(256 * 1024, resolve));
    client.ws.resume();
    await drained;
    await client.many('message', 200);
    client.ws.pause();
    await sendUntilClosed(
      () => connection.sendFrame(big),
      () => connection.isOpen,
    );
    expect(connection.isOpen).toBe(false);
    client.ws.resume();
    await client.ended();
  });

  it('ephemeral frames are merged: a client that catches up gets the newest of each key', async () => {
    const client = await app.open(tenant, 'slow');
    const connection = await app.handler.of(client);
    client.ws.pause();
    // Until the system takes no more; it is history, so that a machine that is busy does not end the connection.
    while (connection.waiting <= 1024 * 1024) {
      for (let i = 0; i < 10; i++) connection.sendHistory(big);
      await turnOver();
    }
    for (let n = 1; n <= 50; n++)
      for (const key of ['a', 'b']) connection.sendEphemeral(key, typingFrame(key, `user${n}`));
    client.ws.resume();
    await client.many('typing', 2);
    await client.settled();
    expect(client.frames.filter(({ type }) => type === 'typing')).toEqual([
      expect.objectContaining({ room_id: 'a', user_id: 'user50' }),
      expect.objectContaining({ room_id: 'b', user_id: 'user50' }),
    ]);
    await client.close();
  });
});

/** Sends in turn after turn until the connection is closed. */
async function sendUntilClosed(send: () => void, isOpen: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && isOpen(); turn++) {
    send();
    await turnOver();
  }
}

/** The end of this turn, flush included. */
async function turnOver(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a close by the server', () => {
  it('comes after what was queued before, and nothing comes after it', async () => {
    const client = await app.open(tenant, 'closed');
    const connection = await app.handler.of(client);
    for (let seq = 1; seq <= 3; seq++) connection.sendFrame(messageFrame(seq));
    connection.close(4004, 'y'.repeat(200));
    connection.sendFrame(messageFrame(4));
    expect(await client.ended()).toEqual({ code: 4004, reason: 'y'.repeat(123) });
    expect(client.frames.flatMap(({ type, seq }) => (type === 'message' ? [seq] : []))).toEqual([1, 2, 3]);
  });

  it('never splits a frame: pings, pongs and frames of all sizes at once', async () => {
    const client = await app.open(tenant, 'busy');
    const connection = await app.handler.of(client);
    for (let n = 0; n < 200; n++) {
      connection.sendFrame(messageFrame(n, 'x'.repeat((n * 997) % 70_000)));
      if (n % 3 === 0) client.ws.ping('p'.repeat(n % 120));
      if (n % 7 === 0) await turnOver();
    }
    const frames = await client.many('message', 200);
    expect(frames.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    await client.close();
  });
});

describe('1012', () => {
  it('tells every client to come back and when, and refuses new ones meanwhile', async () => {
    const stopping = await startSocketApp({ env: { WS_SHUTDOWN_SPREAD_MS: '3000' } });
    const own = await stopping.tenant();
    const clients = await Promise.all(Array.from({ length: 120 }, (_, i) => stopping.open(own, `user${i}`)));
    const deaf = await RawSocket.upgraded(stopping.url, keyOf(own, 'deaf'));
    const stopped = stopping.close();
    const late = await WsClient.connect(stopping.url, { headers: keyOf(own), query: { close_codes: '1' } }).catch(
      () => undefined,
    );
    if (late) expect(await late.ended()).toMatchObject({ code: 1013 });
    for (const client of clients) {
      expect(await client.ended()).toMatchObject({ code: 1012 });
      expect(client.frames.at(-1)).toMatchObject({ type: 'server.shutdown' });
    }
    const delays = clients.map((client) => Number(client.frames.at(-1)?.['reconnect_after_ms']));
    expect(Math.max(...delays)).toBeLessThanOrEqual(3000);
    expect(new Set(delays).size).toBeGreaterThan(20);
    await stopped;
    await deaf.ended();
  });
});
