import { Client } from 'pg';
import { Api } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf, createRoom } from '../support/rooms';
import { RestartingServer } from '../support/restarting-server';
import { adminOf, createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { uuidOf } from '../support/tenants';

const MESSAGES = 8000;
/** So many are left when the server, and the second time everything, is killed. */
const LEFT = [6000, 3000];
/** The lease of a killed server has to run out before another takes its job. */
const LEASE_MS = 120_000;

/** Rooms in which a revision is not one change. */
const REVISIONS = `SELECT count(*)::int AS n FROM rooms r WHERE last_rev <> last_seq
  + (SELECT count(*) FROM room_events e WHERE e.room_id = r.room_id AND e.tenant_id = r.tenant_id)
  + (SELECT count(*) FROM messages m WHERE m.room_id = r.room_id AND m.tenant_id = r.tenant_id AND m.deleted_at IS NOT NULL)`;

const servers = new Servers();
afterEach(() => servers.cleanUp());

it('a server that is killed while it erases a user goes on, and counts what it has erased once', async () => {
  const victim = await RestartingServer.start(servers);
  const { tenantId, as } = await createServedTenant(() => victim.url, 1, 2);
  const sql = async <R extends object>(text: string, ...values: unknown[]): Promise<R[]> => {
    const client = new Client(adminOf(victim.dataDir));
    await client.connect();
    try {
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  const rooms = [await createRoom(as('ann'), 'group', ['zoe']), await createRoom(as('ann'), 'group', ['zoe'])];
  for (const { room_id } of rooms) {
    await sql(
      `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
       SELECT tenant_id, room_id, n, gen_random_uuid(), n, CASE n % 2 WHEN 0 THEN 'zoe' ELSE 'ann' END, 'said', clock_timestamp()
       FROM rooms, generate_series(1, $2::int) n WHERE room_id = $1`,
      ...[uuidOf(room_id), MESSAGES],
    );
    await sql('UPDATE rooms SET last_seq = $2, last_rev = $2 WHERE room_id = $1', uuidOf(room_id), MESSAGES);
  }
  const left = async (): Promise<number> =>
    (await sql<{ n: number }>(`SELECT count(*)::int AS n FROM messages WHERE sender_id = 'zoe'`))[0]?.n ?? 0;
  const master = new Api(victim.url, { 'x-master-key': SERVED_MASTER_KEY });
  const path = `/admin/tenants/${tenantId}`;
  const { erasure_id } = bodyOf(await master.post<{ erasure_id: string }>(`${path}/users/zoe/erase`), 202);

  for (const [n, most] of LEFT.entries()) {
    await until(left, (count) => count <= most, LEASE_MS);
    await (n === 0 ? victim.killServer() : victim.killAll());
    expect(await left()).toBeGreaterThan(0);
    const asked = await master.get<{ state: string }>(`${path}/erasures/${erasure_id}`);
    expect(bodyOf(asked).state).toBe('erasing');
    expect((await as('zoe').get('/rooms')).status).toBe(403);
  }
  const done = await until(
    async () => bodyOf(await master.get<{ state: string; counts: object }>(`${path}/erasures/${erasure_id}`)),
    ({ state }) => state === 'done',
    LEASE_MS,
  );
  expect(done.counts).toMatchObject({ messages: MESSAGES, memberships: 2, users: 1 });
  expect(await left()).toBe(0);
  const [kept] = await sql(`SELECT count(*)::int AS n FROM messages WHERE sender_id = 'ann' AND content = 'said'`);
  expect(kept).toEqual({ n: MESSAGES });
  const [revs] = await sql(REVISIONS);
  expect(revs).toEqual({ n: 0 });
});
