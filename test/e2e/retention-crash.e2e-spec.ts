import { Client } from 'pg';
import { Api } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { RestartingServer } from '../support/restarting-server';
import { adminOf, createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { uuidOf } from '../support/tenants';

const OLD = 12_000;
const NEW = 25;
/** So many are left when the server, and the second time everything, is killed. */
const LEFT = [9000, 5000];
/** The lease of a killed server has to run out before another takes its job. */
const LEASE_MS = 120_000;

const servers = new Servers();
afterEach(() => servers.cleanUp());

it('a server that is killed while it deletes what has expired goes on, and leaves exactly the rest', async () => {
  const victim = await RestartingServer.start(servers);
  const { tenantId, roomIds, userIds, as } = await createServedTenant(() => victim.url, 1, 2);
  const [room = '', other = ''] = roomIds;
  const sql = async <R extends object>(text: string, ...values: unknown[]): Promise<R[]> => {
    const client = new Client(adminOf(victim.dataDir));
    await client.connect();
    try {
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  for (const roomId of [room, other]) {
    await sql(
      `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
       SELECT tenant_id, room_id, n, gen_random_uuid(), n, 'someone', 'old', clock_timestamp() - interval '40 days'
       FROM rooms, generate_series(1, $2::int) n WHERE room_id = $1`,
      ...[uuidOf(roomId), OLD],
    );
    await sql('UPDATE rooms SET last_seq = $2, last_rev = $2 WHERE room_id = $1', uuidOf(roomId), OLD);
  }
  const rows = async (): Promise<number> =>
    (await sql<{ n: number }>('SELECT count(*)::int AS n FROM messages'))[0]?.n ?? 0;
  const before = (await rows()) - 2 * OLD;
  const by = as(userIds[0] ?? '');
  bodyOf(
    await new Api(victim.url, { 'x-master-key': SERVED_MASTER_KEY }).patch(`/admin/tenants/${tenantId}`, {
      settings: { retention_days: 30 },
    }),
  );

  let sent = 0;
  for (const [n, left] of LEFT.entries()) {
    await until(rows, (count) => count - before <= left + OLD, LEASE_MS);
    await (n === 0 ? victim.killServer() : victim.killAll());
    // What goes on meanwhile is not touched.
    for (let i = 0; i < NEW; i++, sent++)
      bodyOf(await by.post(`/rooms/${room}/messages`, { content: `new ${sent}` }), 201);
  }
  expect(await rows()).toBeGreaterThan(before + sent);
  await until(rows, (count) => count - before <= sent, LEASE_MS);
  const [row] = await sql('SELECT first_seq::int, last_seq::int FROM rooms WHERE room_id = $1', uuidOf(room));
  expect(row).toEqual({ first_seq: OLD + 1, last_seq: OLD + sent });
  const listed = await by.get<{ content: string }[]>(`/rooms/${room}/messages?limit=100`);
  expect(bodyOf(listed).map(({ content }) => content)).toEqual(Array.from({ length: sent }, (_, i) => `new ${i}`));
  const trims = await sql(`SELECT 1 FROM room_events WHERE room_id = $1 AND type = 'room.trimmed'`, uuidOf(room));
  expect(trims).toHaveLength(1);
});
