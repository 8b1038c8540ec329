import type { Client } from 'pg';
import { roleNames } from '../../src/platform/database/roles';
import { createTestDatabase, tenantTables, type TestDatabase } from '../support/database';

describe('rows of a tenant', () => {
  const A = '00000000-0000-7000-8000-00000000000a';
  const B = '00000000-0000-7000-8000-00000000000b';
  let database: TestDatabase;
  let roles: ReturnType<typeof roleNames>;
  let tables: string[];
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    const [instance] = await database.sql<{ role_prefix: string }>('SELECT role_prefix FROM instance');
    roles = roleNames(instance?.role_prefix ?? '');
    tables = await tenantTables(database);
    for (const tenant of [A, B]) await database.sql(sampleRows(tenant));
    client = await database.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  /** Runs statements as a role of ours with this setting, and takes back whatever they did. */
  async function as<T>(role: string, tenant: string | undefined, work: () => Promise<T>): Promise<T> {
    await client.query('BEGIN');
    try {
      await client.query(`SET LOCAL ROLE "${role}"`);
      if (tenant !== undefined) await client.query(`SELECT set_config('app.tenant', $1, true)`, [tenant]);
      return await work();
    } finally {
      await client.query('ROLLBACK');
    }
  }
  const seen = async (table: string): Promise<string[]> => {
    const { rows } = await client.query<{ tenant_id: string }>(`SELECT tenant_id FROM "${table}" ORDER BY 1`);
    return [...new Set(rows.map((row) => row.tenant_id))];
  };
  /** What a statement did, or why it was refused. */
  async function attempt(sql: string, values: unknown[] = []): Promise<string> {
    await client.query('SAVEPOINT attempt');
    try {
      return `${(await client.query(sql, values)).rowCount ?? 0} rows`;
    } catch (error) {
      await client.query('ROLLBACK TO attempt');
      return (error as Error).message;
    }
  }

  it('every table has one of both tenants, so that what follows is not said of empty tables', async () => {
    for (const table of tables) expect([table, await seen(table)]).toEqual([table, [A, B]]);
  });

  it.each([
    ['never set', undefined],
    ['empty, as it is after a transaction', ''],
    ['of no tenant', '00000000-0000-7000-8000-00000000000c'],
  ])('a session whose app.tenant is %s sees nothing', async (_, setting) => {
    await as(roles.tenant, setting, async () => {
      for (const table of tables) expect([table, await seen(table)]).toEqual([table, []]);
    });
  });

  it('the login role itself, owner of the tables, sees nothing', async () => {
    await as(database.connection.user ?? '', A, async () => {
      for (const table of tables) expect([table, await seen(table)]).toEqual([table, []]);
    });
  });

  it('a tenant sees its own rows and no others, whatever the SQL says', async () => {
    await as(roles.tenant, A, async () => {
      for (const table of tables) expect([table, await seen(table)]).toEqual([table, [A]]);
    });
  });

  it(`a tenant can neither change, delete nor take over another's rows, nor write into it`, async () => {
    await as(roles.tenant, A, async () => {
      for (const table of tables) {
        const { rows } = await client.query<{ name: string }>(
          `SELECT column_name AS name FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name = $1 AND identity_generation IS NULL`,
          [table],
        );
        const columns = rows.map(({ name }) => `"${name}"`).join(', ');
        const values = rows.map(({ name }) => (name === 'tenant_id' ? '$1::uuid' : `"${name}"`)).join(', ');
        const outcomes = {
          update: await attempt(`UPDATE "${table}" SET tenant_id = tenant_id WHERE tenant_id = $1`, [B]),
          remove: await attempt(`DELETE FROM "${table}" WHERE tenant_id = $1`, [B]),
          giveAway: await attempt(`UPDATE "${table}" SET tenant_id = $1`, [B]),
          insert: await attempt(`INSERT INTO "${table}" (${columns}) SELECT ${values} FROM "${table}"`, [B]),
        };
        const refused = expect.stringMatching(/row-level security policy|permission denied/) as string;
        const mayNot = table === 'tenants' ? refused : '0 rows';
        expect({ table, ...outcomes }).toEqual({
          table,
          // Of what was done only the address may be erased.
          update: table === 'audit_log' ? refused : '0 rows',
          remove: mayNot,
          giveAway: refused,
          insert: refused,
        });
      }
    });
  });

  it('the system role sees all tenants in its tables and is refused the others', async () => {
    // Which ones these are is written down in the catalogue test.
    const may = await database.sql<{ name: string }>(
      `SELECT t AS name FROM unnest($1::text[]) t WHERE has_any_column_privilege($2, t, 'SELECT')`,
      [tables, roles.system],
    );
    const its = may.map(({ name }) => name);
    expect(its).not.toEqual([]);
    await as(roles.system, '', async () => {
      for (const table of tables) {
        const outcome = await attempt(`SELECT FROM "${table}"`);
        expect([table, outcome]).toEqual([
          table,
          its.includes(table) ? '2 rows' : expect.stringMatching(/permission denied/),
        ]);
      }
    });
  });

  it('the backup role sees all tenants in every table and can change nothing', async () => {
    await as(roles.backup, '', async () => {
      for (const table of tables) {
        expect([table, await seen(table)]).toEqual([table, [A, B]]);
        expect(await attempt(`DELETE FROM "${table}"`)).toMatch(/permission denied/);
      }
    });
  });

  it('a tenant cannot call the append function', async () => {
    await as(roles.tenant, A, async () => {
      expect(await attempt('SELECT * FROM append_lookup($1, $1, $1)', [[]])).toMatch(/permission denied for function/);
    });
  });
});

/** One row of a tenant in every table. A new table needs a line here: the test that counts them says so. */
function sampleRows(tenant: string): string {
  const id = '00000000-0000-7000-8000-000000000001';
  return `
    INSERT INTO tenants (tenant_id, name) VALUES ('${tenant}', 't');
    INSERT INTO api_keys (tenant_id, key_id, name, prefix, hash, scopes)
      VALUES ('${tenant}', '${id}', 'k', 'p', sha256('${tenant}'), '{chat}');
    INSERT INTO users (tenant_id, user_id) VALUES ('${tenant}', 'alice');
    INSERT INTO rooms (tenant_id, room_id, type) VALUES ('${tenant}', '${id}', 'group');
    INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
      VALUES ('${tenant}', '${id}', 'alice', 'admin', 0, 1);
    INSERT INTO cursors (tenant_id, room_id, user_id) VALUES ('${tenant}', '${id}', 'alice');
    INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
      VALUES ('${tenant}', '${id}', 'alice', 1, 1, 1, 5, now(), 'x');
    INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
      VALUES ('${tenant}', '${id}', 1, '${id}', 1, 'alice', 'x', now());
    INSERT INTO room_events (tenant_id, room_id, rev, type, payload) VALUES ('${tenant}', '${id}', 2, 'x', '{}');
    INSERT INTO jobs (tenant_id, kind, key, payload) VALUES ('${tenant}', 'x', 'x', '{}');
    INSERT INTO ws_tickets (tenant_id, ticket_id, expires_at) VALUES ('${tenant}', gen_random_uuid(), now());
    ${importRows(tenant, id)}
    INSERT INTO held_messages (tenant_id, room_id, seq, rev, sender_id, content)
      VALUES ('${tenant}', '${id}', 1, 1, 'alice', 'x');
    INSERT INTO notifications (tenant_id, notification_id, topic, payload, user_ids, topic_subscribers)
      VALUES ('${tenant}', '${id}', 't', '{}', '{alice}', false);
    INSERT INTO notification_deliveries (tenant_id, user_id, notification_id, waits_since)
      VALUES ('${tenant}', 'alice', '${id}', now());
    INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic) VALUES ('${tenant}', '${id}', 'alice', 't');
    INSERT INTO exports (tenant_id, export_id, kind, user_id) VALUES ('${tenant}', '${id}', 'user', 'alice');
    INSERT INTO webhooks (tenant_id, url, events) VALUES ('${tenant}', 'https://example.com/', '{}');
    INSERT INTO webhook_deliveries (tenant_id, delivery_id, type) VALUES ('${tenant}', '${id}', 'x');
    INSERT INTO model_channels
      (tenant_id, channel_id, name, provider, base_url, model, priority, weight, enabled, timeout_ms)
      VALUES ('${tenant}', '${id}', 'c', 'echo', '', 'm', 0, 1, true, 1000);
    INSERT INTO chats (tenant_id, room_id, user_id, preset, auto_title)
      VALUES ('${tenant}', '${id}', 'alice', 'default', true);
    INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq) VALUES ('${tenant}', '${id}', '${id}', 'alice', 1);
    INSERT INTO run_chunks (tenant_id, run_id, first_index, text, ends) VALUES ('${tenant}', '${id}', 0, 'x', '{1}');
    INSERT INTO presets (tenant_id, name, system_prompt, context_messages) VALUES ('${tenant}', 'p', '', 20);
    INSERT INTO idempotency_keys (tenant_id, user_id, route, key, fingerprint, result, expires_at)
      VALUES ('${tenant}', 'alice', 'POST /x', 'k', '', '{}', now());
    INSERT INTO audit_heads (tenant_id, n, mac, key_id, seal) VALUES ('${tenant}', 1, '', 'k', '');
    INSERT INTO audit_log (tenant_id, n, at, actor, action, entry, key_id, mac)
      VALUES ('${tenant}', 1, now(), 'master', 'x', '{}', 'k', '');
    INSERT INTO audit_subjects (tenant_id, ref, user_id) VALUES ('${tenant}', 'r', 'alice');
    ${countedRows(tenant, id)}
    -- A transaction's own, which is gone at its end: here it stays.
    SET LOCAL session_replication_role = replica;
    INSERT INTO tenant_count_deltas (tenant_id, users) VALUES ('${tenant}', 1);
    SET LOCAL session_replication_role = origin;
  `;
}

/** What is counted of a tenant. */
function countedRows(tenant: string, room: string): string {
  return `
    INSERT INTO stats_minutes
      (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens)
      VALUES ('${tenant}', now(), 1, 1, 1, 1, 0, 0);
    INSERT INTO usage_days (tenant_id, day, part) VALUES ('${tenant}', '2026-01-31', 1);
    INSERT INTO usage_users (tenant_id, user_id, day) VALUES ('${tenant}', 'alice', '2026-01-31');
    INSERT INTO usage_chats (tenant_id, room_id, day) VALUES ('${tenant}', '${room}', '2026-01-31');
    INSERT INTO usage_models (tenant_id, channel, preset, day) VALUES ('${tenant}', 'c', 'p', '2026-01-31');
    INSERT INTO usage_rooms (tenant_id, room_id) VALUES ('${tenant}', '${room}');
    INSERT INTO usage_state (tenant_id, complete_to) VALUES ('${tenant}', now());
  `;
}

function importRows(tenant: string, id: string): string {
  return `
    INSERT INTO imports (tenant_id, import_id, source) VALUES ('${tenant}', '${id}', 'chatapi');
    INSERT INTO import_rooms (tenant_id, room_id, import_id) VALUES ('${tenant}', '${id}', '${id}');`;
}
