import { loadConfig } from '../../src/config';
import { openDatabase } from '../../src/platform/database';
import { type DatabaseConnection, connectionOf, SESSION_SETTINGS } from '../../src/platform/database/connection';
import { GuardedClient } from '../../src/platform/database/pool';
import { migrate, migrationSession } from '../../src/platform/database/migrator';
import { Lifecycle } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';
import { createTestDatabase } from '../support/database';
import { describePostgres15, Postgres15 } from '../support/postgres15';

/** A value for each setting under which something of ours would go wrong. */
const HOSTILE: Readonly<Record<string, string>> = {
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Kathmandu',
  timezone_abbreviations: 'India',
  client_encoding: 'LATIN1',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  xmlbinary: 'hex',
  xmloption: 'document',
  lc_monetary: 'C.utf8',
  lc_numeric: 'C.utf8',
  lc_time: 'C.utf8',
  quote_all_identifiers: 'on',
  search_path: 'pg_catalog',
  role: 'intruder',
  row_security: 'off',
  standard_conforming_strings: 'off',
  backslash_quote: 'on',
  array_nulls: 'off',
  transform_null_equals: 'on',
  default_text_search_config: 'pg_catalog.german',
  default_table_access_method: 'odd',
  check_function_bodies: 'off',
  plan_cache_mode: 'force_custom_plan',
  jit: 'on',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  statement_timeout: '1ms',
  lock_timeout: '1ms',
  idle_session_timeout: '300ms',
  idle_in_transaction_session_timeout: '300ms',
};

/** The operator's own: they change what a statement costs, where its data lies or what is told, not what it means. */
const OPERATORS = [
  ...[
    'bytea_output',
    'client_min_messages',
    'createrole_self_grant',
    'default_tablespace',
    'default_toast_compression',
  ],
  ...[
    'dynamic_library_path',
    'event_triggers',
    'gin_fuzzy_search_limit',
    'gin_pending_list_limit',
    'icu_validation_level',
  ],
  ...[
    'local_preload_libraries',
    'temp_tablespaces',
    'escape_string_warning',
    'synchronize_seqscans',
    'tcp_user_timeout',
  ],
  ...['vacuum_cost_delay', 'vacuum_freeze_min_age', 'vacuum_freeze_table_age', 'vacuum_multixact_freeze_min_age'],
  ...[
    'vacuum_multixact_freeze_table_age',
    'vacuum_failsafe_age',
    'vacuum_multixact_failsafe_age',
    'file_extend_method',
  ],
  ...[
    'application_name',
    'tcp_keepalives_idle',
    'tcp_keepalives_interval',
    'tcp_keepalives_count',
    'extension_control_path',
  ],
  // Refused at the start where it is on; set for statements where it is known.
  ...['default_transaction_read_only', 'client_connection_check_interval', 'transaction_timeout'],
  ...['restrict_nonsystem_relation_kind', 'password_encryption', 'md5_password_warnings', 'scram_iterations'],
  // Of one transaction, and begun by BEGIN with the defaults above.
  ...['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'],
];

const names = Object.keys(SESSION_SETTINGS);
const SHOWN = `SELECT ${names.map((name) => `current_setting('${name}') AS "${name}"`).join(', ')}`;

function hostile(target: string): string {
  return Object.entries(HOSTILE)
    .map(([name, value]) => `ALTER ${target} SET ${name} = ${name === 'search_path' ? value : `'${value}'`};`)
    .join('\n');
}

/** Every way in which the server connects, and what its sessions are set to. */
async function sessionsOf(connection: DatabaseConnection): Promise<Record<string, Record<string, string>>> {
  const guarded = await GuardedClient.open(connection, { applicationName: 'test', timeoutMs: 10_000 });
  const [lock] = await guarded.query<Record<string, string>>(SHOWN);
  await guarded.close();
  const session = await migrationSession(connection);
  const { rows } = await session.query<Record<string, string>>(SHOWN);
  await session.end();
  return { lock: lock ?? {}, migrations: rows[0] ?? {} };
}

it('S2: every setting of ours has a hostile value in this test', () => {
  expect(Object.keys(HOSTILE)).toEqual(names);
});

describePostgres15('S2: sessions set all that they depend on', () => {
  let postgres: Postgres15;
  beforeAll(async () => {
    postgres = await Postgres15.create();
    await postgres.sql(
      `CREATE ROLE intruder; CREATE ACCESS METHOD odd TYPE TABLE HANDLER heap_tableam_handler;`,
      'template1',
    );
  });
  afterAll(() => postgres.remove());

  it.each(['DATABASE', 'ROLE'])('whatever ALTER %s has set, from the first migration on', async (kind) => {
    const name = `hostile_${kind.toLowerCase()}`;
    const url = await postgres.createDatabase(name);
    await postgres.sql(`GRANT intruder TO ${name}`);
    await postgres.sql(hostile(`${kind} ${name}`));
    const connection = connectionOf(url);
    await migrate({ connection, allowUnsafe: true, onProgress: () => undefined });
    const { lock, migrations } = await sessionsOf(connection);
    expect(lock).toEqual(SESSION_SETTINGS);
    expect(migrations).toEqual(SESSION_SETTINGS);

    const lifecycle = new Lifecycle(new SilentLog());
    const { database: config } = loadConfig({ DATABASE_URL: url, DATABASE_ALLOW_UNSAFE: 'true' });
    const { system } = await openDatabase({ config, log: new SilentLog(), lifecycle, onProgress: () => undefined });
    try {
      const [pool] = await system.query(name, `${SHOWN} FROM instance`);
      expect(pool).toEqual({ ...SESSION_SETTINGS, role: `${name}_system` });
    } finally {
      await lifecycle.stop('test over');
    }
  });

  it('triggers that an administrator has turned off for the database are one clear line', async () => {
    const connection = connectionOf(await postgres.createDatabase('replica'));
    await postgres.sql('ALTER DATABASE replica SET session_replication_role = replica');
    await expect(migrate({ connection, allowUnsafe: true, onProgress: () => undefined })).rejects.toThrow(
      /^PostgreSQL sets session_replication_role = replica .*\n {2}ALTER DATABASE "replica" RESET/,
    );
  });
});

describePostgres15('S2: the settings of PostgreSQL', () => {
  let postgres: Postgres15;
  beforeAll(async () => (postgres = await Postgres15.create()));
  afterAll(() => postgres.remove());

  const known = `SELECT name FROM pg_settings WHERE context = 'user'
    AND (category LIKE 'Client Connection Defaults%' OR category LIKE 'Version and Platform Compatibility%'
      OR category LIKE 'Connections and Authentication%')`;

  it("of version 15 and of the embedded one are all ours or the operator's", async () => {
    const database = await createTestDatabase();
    try {
      for (const rows of [await postgres.sql<{ name: string }>(known), await database.sql<{ name: string }>(known)]) {
        const all = new Set([...names, ...OPERATORS]);
        expect(rows.map(({ name }) => name).filter((name) => !all.has(name))).toEqual([]);
      }
    } finally {
      await database.drop();
    }
  });
});
