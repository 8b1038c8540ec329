import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { deleteTenant, type DeletionBody, deletionPath, skipQuiet } from '../support/deletions';
import { Api } from '../support/http/api';
import { listSeqs } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { RestartingServer } from '../support/restarting-server';
import { adminOf, createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { uuidOf } from '../support/tenants';

const MESSAGES = 12_000;
const NEW = 10;
/** So many are left when the server, the second time everything, and then PostgreSQL alone is killed. */
const LEFT = [9000, 6000, 3000];
/** The lease of a killed server has to run out before another takes its job. */
const LEASE_MS = 120_000;

const servers = new Servers();
afterEach(() => servers.cleanUp());

it('a server that is killed while it deletes a tenant goes on, counts exactly, and leaves the others alone', async () => {
  const victim = await RestartingServer.start(servers);
  const { tenantId, roomIds } = await createServedTenant(() => victim.url, 1, 2);
  const other = await createServedTenant(() => victim.url, 1, 1);
  const master = (): Api => new Api(victim.url, { 'x-master-key': SERVED_MASTER_KEY });
  const sql = async <R extends object>(text: string, values: unknown[] = []): Promise<R[]> => {
    const client = new Client(adminOf(victim.dataDir));
    await client.connect();
    try {
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  await sql(
    `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
     SELECT tenant_id, room_id, n, gen_random_uuid(), n, 'someone', 'old', clock_timestamp()
     FROM rooms, generate_series(1, $2::int) n WHERE room_id = $1`,
    [uuidOf(roomIds[0] ?? ''), MESSAGES],
  );
  const files = join(victim.dataDir, 'exports', uuidOf(tenantId));
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'part'), 'content');
  const rows = async (): Promise<number> => {
    const [row] = await sql<{ n: number }>('SELECT count(*)::int AS n FROM messages WHERE tenant_id = $1', [
      uuidOf(tenantId),
    ]);
    return row?.n ?? 0;
  };
  const told = async (): Promise<DeletionBody> => bodyOf(await master().get<DeletionBody>(deletionPath(tenantId)));

  const { deletion_id } = bodyOf(await deleteTenant(master(), tenantId, 'served'), 202);
  await skipQuiet({ sql }, tenantId);
  const by = other.as(other.userIds[0] ?? '');
  let sent = 0;
  for (const [n, left] of LEFT.entries()) {
    await until(rows, (count) => count <= left, LEASE_MS);
    await [() => victim.killServer(), () => victim.killAll(), () => victim.killPostgres()][n]?.();
    const { state, deleted } =
      (await until(
        () => told().catch(() => undefined),
        (answer) => answer !== undefined,
        LEASE_MS,
      )) ?? {};
    expect(state).toBe('deleting');
    expect(deleted?.['messages']).toBeGreaterThanOrEqual(MESSAGES - left);
    for (let i = 0; i < NEW; i++, sent++)
      bodyOf(await by.post(`/rooms/${other.roomIds[0] ?? ''}/messages`, { content: `new ${sent}` }), 201);
  }
  const done = await until(told, ({ state }) => state === 'done', LEASE_MS);
  expect(done).toMatchObject({ deletion_id, deleted: { messages: MESSAGES, rooms: 2, room_members: 2, tenants: 1 } });
  expect(existsSync(files)).toBe(false);
  const tables = await sql<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`,
  );
  for (const { name } of tables.filter(({ name }) => name !== 'tenant_deletions'))
    expect([name, await sql(`SELECT 1 FROM "${name}" WHERE tenant_id = $1`, [uuidOf(tenantId)])]).toEqual([name, []]);
  const seqs = Array.from({ length: sent }, (_, i) => i + 1);
  expect(await listSeqs(by, other.roomIds[0] ?? '')).toEqual({ seqs, total: sent });
});
