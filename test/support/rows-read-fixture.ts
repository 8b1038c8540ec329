import { randomUUID } from 'node:crypto';
import { Database, SystemDatabase } from '../../src/platform/database';
import { roleNames } from '../../src/platform/database/roles';
import { type RunnerFixture, startRunner } from './runner-fixture';
import { MAX_WAIT_MS } from './timing';

/** After so many runs PostgreSQL has settled on a plan for a prepared statement: it looks at five of its own first. */
const SETTLED = 8;
const READ = `SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE $1)::int
  + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE $1)::int AS n`;

/**
 * A tenant's rooms of any size, made by SQL as the server would have left them, and how many rows a call reads of them:
 * index entries and rows of sequential scans, whether they end up in the answer or not.
 */
export class RowsReadFixture {
  readonly tenantId = randomUUID();
  readonly database: Database;
  readonly system: SystemDatabase;

  private constructor(private readonly site: RunnerFixture) {
    const roles = roleNames('chatapi');
    this.database = new Database(site.runner, roles, site.source);
    this.system = new SystemDatabase(site.runner, roles, site.source);
  }

  /** One connection, so that each call finds the plans of those before. Call in beforeAll; `close` in afterAll. */
  static async open(): Promise<RowsReadFixture> {
    const rows = new RowsReadFixture(await startRunner(1, MAX_WAIT_MS));
    await rows.sql(`INSERT INTO tenants (tenant_id, name) VALUES ($1, 'test')`);
    return rows;
  }

  close(): Promise<void> {
    return this.site.close();
  }

  /** Runs SQL as superuser; $1 is the tenant. */
  sql(text: string, ...values: unknown[]): Promise<object[]> {
    return this.site.database.sql(text, [this.tenantId, ...values]);
  }

  /** Takes all rows out of a table. Deleted, they would be read in its indexes until they are swept up, which may take a while. */
  async empty(table: string): Promise<void> {
    await this.site.database.sql(`TRUNCATE ${table}`);
  }

  /** A room with these members, in the order of joining, and so many messages of the first. */
  async room(members: readonly string[], messages: number): Promise<string> {
    const [roomId] = await this.rooms(1, members, messages);
    if (roomId === undefined) throw new Error('no room was made');
    return roomId;
  }

  /** Several rooms alike. */
  async rooms(count: number, members: readonly string[], messages: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await this.sql(
      `INSERT INTO users (tenant_id, user_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`,
      members,
    );
    await this.sql(
      `INSERT INTO rooms (tenant_id, room_id, type, last_seq, last_rev, last_message_at, member_count, members_added)
       SELECT $1, r, 'group', $3, $3, now(), $4::int, $4::int FROM unnest($2::uuid[]) r`,
      ids,
      messages,
      members.length,
    );
    await this.sql(
      `INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
       SELECT $1, r, u, 'member', 0, n FROM unnest($2::uuid[]) r, unnest($3::text[]) WITH ORDINALITY m(u, n)`,
      ids,
      members,
    );
    await this.sql(
      `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
       SELECT $1, r, n, gen_random_uuid(), n, $4, 'hello', now()
       FROM unnest($2::uuid[]) r, generate_series(1, $3::bigint) n`,
      ids,
      messages,
      members[0],
    );
    return ids;
  }

  /** Statistics as they are some time after the rooms were made. */
  async analyze(): Promise<void> {
    await this.site.database.sql('VACUUM ANALYZE');
  }

  /** What one more call reads, of all tables or of one, with the plan that its statements have settled on. */
  async by(call: () => Promise<unknown>, table = '%'): Promise<number> {
    for (let i = 0; i < SETTLED; i++) await call();
    const before = await this.total(table);
    await call();
    return (await this.total(table)) - before;
  }

  private async total(table: string): Promise<number> {
    // Sessions report what they have read at most once a second; this one is told to do it now.
    await this.database.query('flush', this.tenantId, 'SELECT pg_stat_force_next_flush()');
    const [row] = await this.site.database.sql<{ n: number }>(READ, [table]);
    return row?.n ?? 0;
  }
}
