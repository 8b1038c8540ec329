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

/** A server that dies, with a tenant that is to go and another one that stays. */
class Deletion {
  private constructor(
    readonly victim: RestartingServer,
    readonly going: Awaited<ReturnType<typeof createServedTenant>>,
    readonly staying: Awaited<ReturnType<typeof createServedTenant>>,
  ) {}

  static async prepare(): Promise<Deletion> {
    const victim = await RestartingServer.start(servers);
    const tenant = (rooms: number): ReturnType<typeof createServedTenant> =>
      createServedTenant(() => victim.url, 1, rooms);
    return new Deletion(victim, await tenant(2), await tenant(1));
  }

  get master(): Api {
    return new Api(this.victim.url, { 'x-master-key': SERVED_MASTER_KEY });
  }

  async sql<R extends object>(text: string, values: unknown[] = []): Promise<R[]> {
    const client = new Client(adminOf(this.victim.dataDir));
    await client.connect();
    try {
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** How many rows a table has of the tenant that goes. */
  async rows(table = 'messages'): Promise<number> {
    const [row] = await this.sql<{ n: number }>(`SELECT count(*)::int AS n FROM "${table}" WHERE tenant_id = $1`, [
      uuidOf(this.going.tenantId),
    ]);
    return row?.n ?? 0;
  }

  async told(): Promise<DeletionBody> {
    return bodyOf(await this.master.get<DeletionBody>(deletionPath(this.going.tenantId)));
  }

  /** The tables that have a row of it. */
  async left(): Promise<string[]> {
    const tables = await this.sql<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`,
    );
    const left: string[] = [];
    for (const { name } of tables) if ((await this.rows(name)) > 0) left.push(name);
    return left;
  }
}

it('a server that is killed while it deletes a tenant goes on, counts exactly, and leaves the others alone', async () => {
  const deletion = await Deletion.prepare();
  const { victim, going, staying } = deletion;
  await deletion.sql(
    `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
     SELECT tenant_id, room_id, n, gen_random_uuid(), n, 'someone', 'old', clock_timestamp()
     FROM rooms, generate_series(1, $2::int) n WHERE room_id = $1`,
    [uuidOf(going.roomIds[0] ?? ''), MESSAGES],
  );
  const files = join(victim.dataDir, 'exports', uuidOf(going.tenantId));
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'part'), 'content');

  const { deletion_id } = bodyOf(await deleteTenant(deletion.master, going.tenantId, 'served'), 202);
  await skipQuiet(deletion, going.tenantId);
  const [by, room] = [staying.as(staying.userIds[0] ?? ''), staying.roomIds[0] ?? ''];
  let sent = 0;
  for (const [n, left] of LEFT.entries()) {
    await until(
      () => deletion.rows(),
      (count) => count <= left,
      LEASE_MS,
    );
    await [() => victim.killServer(), () => victim.killAll(), () => victim.killPostgres()][n]?.();
    const back = await until(
      () => deletion.told().catch(() => undefined),
      (answer) => answer !== undefined,
      LEASE_MS,
    );
    expect(back).toMatchObject({ deletion_id, state: 'deleting' });
    expect(back?.deleted['messages']).toBeGreaterThanOrEqual(MESSAGES - left);
    for (let i = 0; i < NEW; i++, sent++)
      bodyOf(await by.post(`/rooms/${room}/messages`, { content: `new ${sent}` }), 201);
  }
  const done = await until(
    () => deletion.told(),
    ({ state }) => state === 'done',
    LEASE_MS,
  );
  expect(done).toMatchObject({ deletion_id, deleted: { messages: MESSAGES, rooms: 2, room_members: 2, tenants: 1 } });
  expect(existsSync(files)).toBe(false);
  expect(await deletion.left()).toEqual(['tenant_deletions']);
  const seqs = Array.from({ length: sent }, (_, i) => i + 1);
  expect(await listSeqs(by, room)).toEqual({ seqs, total: sent });
});
