import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestApp, TestTenant } from '../support/app';
import { createChat, sayStreaming, startChatApp, type WithModel } from '../support/chats/http';
import { SseClient } from '../support/chats/sse';
import { rowsOf, tenantTables } from '../support/database';
import { deadLetter } from '../support/dead-letters';
import { deleted, deleteTenant, type DeletionBody, deletionPath, skipQuiet } from '../support/deletions';
import { AnswerGate } from '../support/fake-model';
import { type Api, errorOf } from '../support/http/api';
import { createPreset } from '../support/models';
import { notify } from '../support/notifications';
import { until } from '../support/poll';
import { badField, bodyOf, CONFLICT, createRoom, FORBIDDEN, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { createKey, keysPath, uuidOf } from '../support/tenants';
import { hookedTenant, Receiver } from '../support/webhooks/receiver';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

const NOBODY = `tenant_${'0'.repeat(31)}1`;
const DELETING = { details: { reason: 'deleting' } };

describe('the deletion of a tenant', () => {
  let app: WithModel<TestApp>;
  let dataDir: string;
  let tenant: TestTenant;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chatapi-deletion-'));
    app = await startChatApp({ DATA_DIR: dataDir, WEBHOOK_ALLOW_PRIVATE: 'true' });
  });
  afterAll(async () => {
    await app.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    tenant = await app.tenant();
  });

  const path = (rest = ''): string => `/admin/tenants/${tenant.tenantId}${rest}`;
  const told = async (by: Api = app.master): Promise<DeletionBody> =>
    bodyOf(await by.get<DeletionBody>(deletionPath(tenant.tenantId)));
  /** How many rows each table has of a tenant; tables without one are left out. */
  async function left({ tenantId }: TestTenant): Promise<Record<string, number>> {
    const tables = await tenantTables(app.database);
    const counts = tables.map(
      (table) => `SELECT '${table}' AS name, count(*)::int AS n FROM "${table}" WHERE tenant_id = $1`,
    );
    const rows = await app.database.sql<{ name: string; n: number }>(counts.join(' UNION ALL '), [uuidOf(tenantId)]);
    return Object.fromEntries(rows.filter(({ n }) => n > 0).map(({ name, n }) => [name, n]));
  }
  /** Rooms, messages, a chat and whatever else calls can make of a tenant. */
  async function furnish(of: TestTenant): Promise<{ roomId: string }> {
    const alice = of.as('alice');
    const { room_id: roomId } = await createRoom(alice, 'group', ['bob']);
    await sendAll(alice, roomId, ['one', 'two', 'three']);
    await deadLetter(app, of, roomId, 'bob');
    bodyOf(await of.as('bob').post('/reads', { room_id: roomId, seq: 2 }));
    bodyOf(await alice.post('/subscriptions', { topic: 'order.shipped' }), 201);
    await notify(of, { targets: { user_ids: ['bob'] } });
    await createPreset(of.key);
    await createKey(app, of);
    const chat = await createChat(of.key);
    await (await sayStreaming(of.key, chat.id, 'Hello')).rest();
    return { roomId };
  }

  describe('is refused, and nothing is changed,', () => {
    it.each([
      ['without the name', '', badField('confirm')],
      ['with another name', '?confirm=Test', badField('confirm')],
    ])('%s', async (_, query, expected) => {
      const before = await rowsOf(app.database, uuidOf(tenant.tenantId));
      expect(refusal(await app.master.delete(path(query)))).toEqual(expected);
      expect(await rowsOf(app.database, uuidOf(tenant.tenantId))).toEqual(before);
      expect(refusal(await app.master.get(deletionPath(tenant.tenantId)))).toEqual(NOT_FOUND);
    });

    it('to a key of the tenant, whatever its scopes', async () => {
      expect(refusal(await tenant.key.delete(path('?confirm=test')))).toEqual(FORBIDDEN);
      expect(refusal(await tenant.key.get(deletionPath(tenant.tenantId)))).toEqual(FORBIDDEN);
      expect((await tenant.key.get(path())).body).toMatchObject({ status: 'active' });
    });

    it.each([NOBODY, 'nothing'])('for a tenant that is not there: %s', async (id) => {
      expect(refusal(await deleteTenant(app.master, id))).toEqual(NOT_FOUND);
      expect(refusal(await app.master.get(deletionPath(id)))).toEqual(NOT_FOUND);
    });

    it.each(['room', 'user'])('under the legal hold of a %s, until that ends', async (what) => {
      const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
      const held = what === 'room' ? `/admin/rooms/${room_id}` : '/admin/users/bob';
      bodyOf(await tenant.key.patch(held, { legal_hold: true }));
      const answer = await deleteTenant(app.master, tenant.tenantId);
      expect(refusal(answer)).toEqual(CONFLICT);
      expect(errorOf(answer).details).toMatchObject({ reason: 'legal_hold' });
      expect((await tenant.key.get(path())).body).toMatchObject({ status: 'active' });
      bodyOf(await tenant.key.patch(held, { legal_hold: false }));
      bodyOf(await deleteTenant(app.master, tenant.tenantId), 202);
    });
  });

  it('ends its calls, sockets and streams at once, and shows it as being deleted', async () => {
    const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
    const sockets = [await WsClient.connect(app.url, { headers: keyOf(tenant, 'bob') })];
    const streams = [await SseClient.open(tenant.key, 'GET', '/admin/stats/stream')];
    const begun = performance.now();
    const { deletion_id, state } = bodyOf(await deleteTenant(app.master, tenant.tenantId), 202);
    expect(state).toBe('waiting');
    for (const socket of sockets) expect(await socket.ended()).toMatchObject({ code: 4004 });
    for (const stream of streams) await stream.rest();
    expect(performance.now() - begun).toBeLessThan(5000);

    expect(refusal(await tenant.as('alice').get('/rooms'))).toEqual(FORBIDDEN);
    expect((await app.master.get(path())).body).toMatchObject({ status: 'deleting' });
    expect(await told()).toMatchObject({ deletion_id, state: 'waiting', deleted: {}, error: null, finished_at: null });
    // Nothing goes before those who were let in have ended.
    expect(await left(tenant)).toMatchObject({ rooms: 1, room_members: 2, users: 2 });
    bodyOf(await app.master.get(`/admin/audit?tenant_id=${tenant.tenantId}`));
    const query = `?tenant_id=${tenant.tenantId}`;
    const changes = [
      app.master.patch(path(), { status: 'active' }),
      app.master.post(keysPath(tenant), { name: 'late' }),
      app.master.patch(`/admin/rooms/${room_id}${query}`, { legal_hold: true }),
      app.master.patch(`/admin/users/bob${query}`, { legal_hold: true }),
    ];
    for (const answer of await Promise.all(changes)) {
      expect(refusal(answer)).toEqual(CONFLICT);
      expect(errorOf(answer)).toMatchObject(DELETING);
    }
    const again = await deleteTenant(app.master, tenant.tenantId);
    expect(bodyOf(again, 202)).toEqual({ deletion_id, state: 'waiting' });
  });

  it('lets calls and sockets that come at the same moment in, or not, and leaves nothing of them', async () => {
    const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
    const send = `/rooms/${room_id}/messages`;
    const targets = { topic: 'test', payload: {}, targets: { user_ids: ['bob', 'carl'] } };
    const sockets: WsClient[] = [];
    const calls = Array.from({ length: 10 }, (_, n) => [
      async (): Promise<void> => {
        sockets.push(
          await WsClient.connect(app.url, { headers: keyOf(tenant, `user${n}`), query: { close_codes: '1' } }),
        );
      },
      async (): Promise<number> => (await tenant.as('alice').post(send, { content: `${n}` })).status,
      async (): Promise<number> => (await tenant.key.post('/notify', targets)).status,
    ]).flat();
    const [before, after] = [calls.slice(0, 15), calls.slice(15)];
    const begun = before.map((call) => call());
    const deletion = deleteTenant(app.master, tenant.tenantId);
    const statuses = await Promise.all([...begun, ...after.map((call) => call())]);
    bodyOf(await deletion, 202);
    for (const status of statuses.filter((each) => each !== undefined)) expect([201, 202, 403]).toContain(status);
    for (const socket of sockets) expect(await socket.ended()).toMatchObject({ code: 4004 });
    expect(sockets).toHaveLength(10);
    await deleted(app, tenant);
    expect(await left(tenant)).toEqual({ tenant_deletions: 1 });
  });

  it('takes every row and file, counts them, and leaves others as they are', async () => {
    const other = await app.tenant();
    for (const each of [tenant, other]) await furnish(each);
    const files = (of: TestTenant): string[] =>
      ['exports', 'imports'].map((folder) => join(dataDir, folder, uuidOf(of.tenantId)));
    for (const folder of [...files(tenant), ...files(other)]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'part'), 'content');
    }
    const settled = (): Promise<string[]> => rowsOf(app.database, uuidOf(other.tenantId));
    // The jobs of what was made have ended.
    await until(
      () =>
        app.database.sql('SELECT 1 FROM jobs WHERE tenant_id = ANY ($1)', [
          [tenant, other].map((t) => uuidOf(t.tenantId)),
        ]),
      (jobs) => jobs.length === 0,
    );
    const before = await settled();

    const { deletion_id } = bodyOf(await deleteTenant(app.master, tenant.tenantId), 202);
    const had = await left(tenant);
    const done = await deleted(app, tenant);
    const { tenant_deletions, ...rows } = had;
    expect([tenant_deletions, rows['messages'], rows['rooms'], rows['audit_log']]).toEqual([1, 5, 2, 4]);
    // What is counted of a tenant by the minute may have come in between.
    const exact = (of: Record<string, number>): object =>
      Object.fromEntries(Object.entries(of).filter(([name]) => !/^(usage|stats)_/.test(name)));
    expect(exact(done.deleted)).toEqual(exact(rows));
    expect(done).toMatchObject({ deletion_id, state: 'done', error: null });
    expect(Date.parse(done.finished_at ?? '')).toBeGreaterThan(Date.parse(done.started_at));
    expect(await left(tenant)).toEqual({ tenant_deletions: 1 });
    expect(files(tenant).filter(existsSync)).toEqual([]);

    expect(files(other).filter(existsSync)).toHaveLength(2);
    expect(await settled()).toEqual(before);
    bodyOf(await other.as('alice').get('/rooms'));

    expect(refusal(await app.master.get(path()))).toEqual(NOT_FOUND);
    expect(refusal(await deleteTenant(app.master, tenant.tenantId))).toEqual(NOT_FOUND);
    expect((await tenant.key.get('/rooms')).status).toBe(401);
    expect(await told()).toEqual(done);
    const chain = await app.master.get('/admin/audit/verify?tenant_id=installation');
    expect(chain.body).toMatchObject({ holds: true, fault: null });
  });

  it('ends an answer that is being written, of which nothing is left', async () => {
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    app.model.next({ steps: ['One', ' two', { hold: gate }] });
    const stream = await sayStreaming(tenant.key, chat.id, 'count');
    await stream.take(2);
    bodyOf(await deleteTenant(app.master, tenant.tenantId), 202);
    await stream.rest();
    await deleted(app, tenant);
    gate.open();
    expect(await left(tenant)).toEqual({ tenant_deletions: 1 });
  });

  it('posts nothing of it to its webhook', async () => {
    const receiver = await Receiver.start();
    const hooked = await hookedTenant(app, receiver, ['message.created', 'room.created', 'member.left']);
    await createRoom(hooked.as('alice'), 'group', ['bob']);
    await receiver.whenReceived('room.created');
    bodyOf(await deleteTenant(app.master, hooked.tenantId), 202);
    await deleted(app, hooked);
    expect(receiver.received.map(({ type }) => type)).toEqual(['room.created']);
    await receiver.stop();
  });

  it('that was given up is taken up again by who asks for it once more', async () => {
    await createRoom(tenant.as('alice'), 'group', ['bob']);
    const { deletion_id } = bodyOf(await deleteTenant(app.master, tenant.tenantId), 202);
    const id = [uuidOf(tenant.tenantId)];
    // As after the last of its attempts.
    await app.database.sql(`UPDATE jobs SET attempts = 10000, last_error = 'no luck' WHERE tenant_id = $1`, id);
    await skipQuiet(app.database, tenant.tenantId);
    expect(await until(told, ({ state }) => state === 'failed')).toMatchObject({ error: 'no luck' });
    expect((await app.master.get(path())).body).toMatchObject({ status: 'deleting' });
    // The job is marked a moment later.
    await until(
      () => app.database.sql(`SELECT 1 FROM jobs WHERE tenant_id = $1 AND state = 'dead'`, id),
      (dead) => dead.length === 1,
    );
    expect(bodyOf(await deleteTenant(app.master, tenant.tenantId), 202)).toMatchObject({ deletion_id });
    expect(await deleted(app, tenant)).toMatchObject({ deletion_id, error: null });
    expect(await left(tenant)).toEqual({ tenant_deletions: 1 });
  });
});
