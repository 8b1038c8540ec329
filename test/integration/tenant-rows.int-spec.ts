import type { Client } from 'pg';
import { roleNames } from '../../src/platform/database/roles';
import { createTestDatabase, tenantTables, type TestDatabase } from '../support/database';
import { sampleRows } from '../support/sample-rows';

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
        const mayNot = /^(tenants|tenant_deletions)$/.test(table) ? refused : '0 rows';
        expect({ table, ...outcomes }).toEqual({
          table,
          // Of what was done only the address may be erased; a reaction is given or taken back.
          update: /^(audit_log|message_reactions)$/.test(table) ? refused : '0 rows',
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
      // Of each of the two tenants one; and the agent beside its only user.
      const rowsOf = (table: string): string => (table === 'users' ? '4 rows' : '2 rows');
      for (const table of tables) {
        const outcome = await attempt(`SELECT FROM "${table}"`);
        expect([table, outcome]).toEqual([
          table,
          its.includes(table) ? rowsOf(table) : expect.stringMatching(/permission denied/),
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
