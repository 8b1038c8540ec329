import { roleNames } from '../../src/platform/database/roles';
import { createTestDatabase, tenantTables, type TestDatabase } from '../support/database';

/**
 * Said here once more than in the schema's files: what a role may do is changed in two places. Every list is sorted and has
 * a line for each name, so that changes of several people do not meet.
 */
const TENANT_TABLES = [
  'api_keys',
  'audit_heads',
  'audit_log',
  'audit_subjects',
  'charge_days',
  'charges',
  'chats',
  'cursors',
  'dead_letters',
  'erasures',
  'exports',
  'held_messages',
  'idempotency_keys',
  'import_rooms',
  'imports',
  'jobs',
  'member_settings',
  'message_reaction_counts',
  'message_reactions',
  'message_versions',
  'messages',
  'model_channels',
  'notification_deliveries',
  'notifications',
  'presets',
  'room_agents',
  'room_events',
  'room_members',
  'room_pins',
  'rooms',
  'run_chunks',
  'runs',
  'stats_minutes',
  'subscriptions',
  'tenant_count_deltas',
  'tenant_counts',
  'tenant_deletions',
  'tenant_feed',
  'tenant_feed_rooms',
  'tenant_feeds',
  'tenants',
  'usage_chats',
  'usage_days',
  'usage_models',
  'usage_rooms',
  'usage_state',
  'usage_users',
  'users',
  'webhook_deliveries',
  'webhooks',
  'ws_tickets',
];
const SYSTEM_GRANTS: Readonly<Record<string, string>> = {
  api_keys: 'SELECT, INSERT, UPDATE',
  audit_heads: 'SELECT, INSERT, UPDATE',
  audit_log: 'INSERT',
  charge_days: 'DELETE',
  charges: 'DELETE',
  dead_letters: 'SELECT',
  exports: 'SELECT, UPDATE, DELETE',
  idempotency_keys: 'SELECT, DELETE',
  jobs: 'SELECT, INSERT, UPDATE, DELETE',
  notification_deliveries: 'SELECT, UPDATE',
  rooms: 'SELECT',
  run_chunks: 'DELETE, INSERT',
  stats_minutes: 'SELECT, INSERT, UPDATE, DELETE',
  tenant_feeds: 'SELECT',
  tenants: 'SELECT, INSERT, UPDATE, DELETE',
  usage_days: 'SELECT, INSERT, UPDATE',
  webhook_deliveries: 'DELETE',
  webhooks: 'INSERT',
  ws_tickets: 'SELECT, DELETE',
};
const APPEND_GRANTS: Readonly<Record<string, string>> = {
  charges: 'INSERT, SELECT, UPDATE',
  import_rooms: 'SELECT',
  jobs: 'INSERT',
  message_reaction_counts: 'SELECT, INSERT, UPDATE',
  message_reactions: 'SELECT, INSERT, DELETE',
  messages: 'SELECT, INSERT',
  room_agents: 'SELECT',
  room_members: 'SELECT',
  room_pins: 'SELECT, INSERT, UPDATE',
  rooms: 'SELECT, UPDATE',
  runs: 'INSERT, SELECT, UPDATE',
};

/** Indexes of tenant tables that do not begin with tenant_id, each with its reason. */
const GLOBAL_INDEXES: Readonly<Record<string, string>> = {
  api_keys_hash: 'a key is looked up before its tenant is known',
  api_keys_updated: 'what another server changed is read for all tenants at once',
  charge_days_purge: 'what is old is purged for all tenants',
  charges_purge: 'what is old is purged for all tenants',
  erasures_updated: 'what another server was asked is read for all tenants at once',
  exports_expiry: 'what has expired is found for all tenants',
  idempotency_keys_expiry: 'what has expired is purged for all tenants',
  jobs_ended: 'dead jobs that are old are purged for all tenants',
  jobs_leases: 'leases that ran out are found for all tenants at once',
  notification_deliveries_waiting: 'what has waited too long is found for all tenants at once',
  run_chunks_expiry: 'what has expired is purged for all tenants',
  stats_minutes_purge: 'what is old is purged for all tenants',
  tenants_updated: 'the same',
  webhook_deliveries_purge: 'what is old is purged for all tenants',
  webhooks_updated: 'what another server changed is read for all tenants at once',
  ws_tickets_expiry: 'the same',
};
/** Tables without a tenant: facts of the installation. */
const INSTALLATION_TABLES = ['instance', 'schema_functions', 'schema_migrations', 'server_minutes'];
/** PostgreSQL inlines only functions without settings; these run as the caller, whose search path is the server's. */
const INLINED = [
  'chat_room',
  'cursor_of',
  'cursor_positions',
  'message_at',
  'message_states',
  'message_states_after',
  'message_text_at',
  'read_marks',
  'room_access',
  'room_events_after',
  'room_keeps',
];
/** What the tenant role may not do: make tenants, write a message past the append function, change what was done. */
const TENANT_RIGHTS: Readonly<Record<string, string>> = {
  audit_log: 'DELETE, INSERT, SELECT',
  message_reaction_counts: 'DELETE, SELECT, UPDATE',
  message_reactions: 'DELETE, SELECT',
  messages: 'DELETE, SELECT, UPDATE',
  room_pins: 'DELETE, SELECT, UPDATE',
  tenant_deletions: 'INSERT, SELECT, UPDATE',
  tenants: 'SELECT, UPDATE',
};
/** What the tenant role may change of rows that else stay as they are: whose address it was is erased. */
const TENANT_COLUMNS: Readonly<Record<string, string>> = { audit_log: 'UPDATE address' };
/**
 * What the system role may do with single columns: learn whose calls are refused and forget it; write when users of all tenants were last connected; learn who has a
 * webhook, how old deliveries are, whose the run is that it writes tokens of, and how runs stand that are followed.
 */
const SYSTEM_COLUMNS: Readonly<Record<string, string>> = {
  charge_days: 'SELECT day, SELECT scope, SELECT subject, SELECT tenant_id',
  charges: 'SELECT charge_id, SELECT day, SELECT tenant_id',
  erasures:
    'SELECT erasure_id, SELECT mac_key_id, SELECT requested_at, SELECT state, SELECT tenant_id, SELECT updated_at, SELECT user_mac, UPDATE user_mac',
  run_chunks: 'SELECT ends, SELECT expires_at, SELECT first_index, SELECT run_id, SELECT tenant_id',
  runs: 'SELECT fence, SELECT is_cancelled, SELECT room_id, SELECT run_id, SELECT state, SELECT tenant_id',
  users: 'SELECT last_seen_at, SELECT tenant_id, SELECT user_id, UPDATE last_seen_at',
  webhook_deliveries: 'SELECT created_at, SELECT delivery_id, SELECT state, SELECT tenant_id',
  webhooks: 'SELECT disabled_at, SELECT events, SELECT tenant_id, SELECT updated_at, SELECT url',
};
/** What the append reads of the jobs that it writes, a run is made of its own; and of answers without a count, which it charges. */
const APPEND_COLUMNS: Readonly<Record<string, string>> = {
  jobs: 'SELECT kind, SELECT payload, SELECT tenant_id',
  run_chunks: 'SELECT run_id, SELECT tenant_id, SELECT text',
};
const SYSTEM_TABLES = [...new Set([...Object.keys(SYSTEM_GRANTS), ...Object.keys(SYSTEM_COLUMNS)])];
/** The functions that run with rights of their own, and so past the caller's policies, and whose rights these are. */
const DEFINERS: Readonly<Record<string, 'append' | 'owner'>> = {
  agents_asked: 'append',
  append_batch: 'append',
  append_lookup: 'append',
  append_messages: 'append',
  append_messages_hooked: 'append',
  append_states: 'append',
  cursors_analyze: 'owner',
  log_analyze: 'owner',
  messages_import: 'append',
};
/** The functions that the system role calls, and what of several tenants they do; the tenant role may not. */
const SYSTEM_ONLY: Readonly<Record<string, string>> = {
  agents_asked: 'is a part of the append, as its role',
  append_batch: 'the same with states of messages',
  append_lookup: 'finds what a batch of many tenants repeats',
  append_messages: 'writes a batch of many tenants',
  append_messages_hooked: 'the same, with webhooks',
  append_states: 'is a part of the append, as its role',
  chats_followed: 'looks how runs and chats of many tenants stand',
  cursors_analyze: "renews statistics, which are the tables' own",
  feeds_collected: 'names the tenants whose changes are collected',
  jobs_claim: 'takes jobs of all tenants',
  log_analyze: 'renews statistics',
  messages_import: 'writes to the log as its own role',
  raise_epoch: 'is about the installation',
  run_chunks_write: 'writes tokens of the runs of many tenants',
  stats_counts: 'counts what waits, of all tenants',
  stats_minutes_add: 'writes the minutes of many tenants',
  usage_flush: 'adds to the days of many tenants',
};
/** The functions that both call, each for its own transactions. */
const ALSO_SYSTEM = ['audit_append'];
const OWN_ROWS = `(tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)`;

describe('the catalogue: what keeps the tenants apart in the database', () => {
  let database: TestDatabase;
  let roles: ReturnType<typeof roleNames>;
  let names: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    const [instance] = await database.sql<{ role_prefix: string }>('SELECT role_prefix FROM instance');
    roles = roleNames(instance?.role_prefix ?? '');
    names = Object.values(roles) as string[];
  });
  afterAll(() => database.drop());

  describe('roles', () => {
    it('can neither log in nor do anything but what they are granted', async () => {
      const rows = await database.sql(
        `SELECT rolname, rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS able
         FROM pg_roles WHERE rolname = ANY ($1) ORDER BY 1`,
        [names],
      );
      expect(rows).toEqual([...names].sort().map((rolname) => ({ rolname, able: false })));
    });

    it('are members of no role, and only the login role is a member of them', async () => {
      const rows = await database.sql<{ member: string; role: string }>(
        `SELECT DISTINCT m.rolname AS member, r.rolname AS role FROM pg_auth_members a
         JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
         WHERE m.rolname = ANY ($1) OR (r.rolname = ANY ($1) AND NOT m.rolsuper) ORDER BY 2`,
        [names],
      );
      expect(rows).toEqual([...names].sort().map((role) => ({ member: database.connection.user, role })));
    });

    it('the login role is no superuser, bypasses nothing and inherits nothing', async () => {
      const [login] = await database.sql<{ able: boolean }>(
        'SELECT rolsuper OR rolbypassrls AS able FROM pg_roles WHERE rolname = $1',
        [database.connection.user],
      );
      expect(login).toEqual({ able: false });
      const inherited = await database.sql(
        `SELECT r.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
         WHERE m.rolname = $1 AND r.rolname = ANY ($2) AND a.inherit_option`,
        [database.connection.user, names],
      );
      expect(inherited).toEqual([]);
    });
  });

  describe('tables', () => {
    it('belong to a tenant, but for those of the installation', async () => {
      const rows = await database.sql<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
      );
      const ofTenants = await tenantTables(database);
      expect(rows.map((row) => row.name).sort()).toEqual([...ofTenants, ...INSTALLATION_TABLES].sort());
      expect(ofTenants).toEqual([...TENANT_TABLES].sort());
    });

    it('of tenants have row-level security enabled and forced', async () => {
      const rows = await database.sql<{ relname: string; safe: boolean }>(
        `SELECT relname, relrowsecurity AND relforcerowsecurity AS safe FROM pg_class
         WHERE oid = ANY ($1::regclass[]) ORDER BY relname`,
        [await tenantTables(database)],
      );
      expect(rows).toEqual((await tenantTables(database)).map((relname) => ({ relname, safe: true })));
    });

    it('have exactly the policies that are listed, per role', async () => {
      const policies = await database.sql<Record<string, string | null>>(
        `SELECT tablename AS table, policyname AS policy, roles::text[]::text AS roles, permissive, cmd, qual, with_check
         FROM pg_policies WHERE schemaname = 'public'`,
      );
      const policy = (table: string, name: string, role: string, rule: string): Record<string, string | null> => ({
        table,
        policy: name,
        roles: `{${role}}`,
        permissive: 'PERMISSIVE',
        cmd: 'ALL',
        qual: rule,
        with_check: rule,
      });
      const expected = [
        ...TENANT_TABLES.map((table) => policy(table, 'tenant_rows', roles.tenant, OWN_ROWS)),
        ...SYSTEM_TABLES.map((table) => policy(table, 'system_rows', roles.system, 'true')),
        ...[...Object.keys(APPEND_GRANTS), 'run_chunks'].map((table) =>
          policy(table, 'append_rows', roles.append, 'true'),
        ),
        ...TENANT_TABLES.map((table) => ({
          ...policy(table, 'backup_rows', roles.backup, 'true'),
          cmd: 'SELECT',
          with_check: null,
        })),
      ];
      const order = (a: Record<string, string | null>, b: Record<string, string | null>): number =>
        `${a['table'] ?? ''} ${a['policy'] ?? ''}`.localeCompare(`${b['table'] ?? ''} ${b['policy'] ?? ''}`);
      expect(policies.sort(order)).toEqual(expected.sort(order));
    });

    it('have columns that are granted apart only where it is listed', async () => {
      const rows = await database.sql<{ grantee: string; table: string; rights: string }>(
        `SELECT r.rolname AS grantee, c.relname AS table,
           string_agg(x.privilege_type || ' ' || a.attname, ', ' ORDER BY x.privilege_type, a.attname) AS rights
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid CROSS JOIN aclexplode(a.attacl) x
         LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2`,
      );
      const of = (grantee: string, columns: Readonly<Record<string, string>>): object[] =>
        Object.entries(columns).map(([table, rights]) => ({ grantee, table, rights }));
      const expected = [
        ...of(roles.append, APPEND_COLUMNS),
        ...of(roles.system, SYSTEM_COLUMNS),
        ...of(roles.tenant, TENANT_COLUMNS),
      ];
      expect(rows).toEqual(expected);
    });

    it('are granted to nobody else, and to the roles exactly what is listed', async () => {
      const rows = await database.sql<{ grantee: string; table: string; rights: string }>(
        `SELECT COALESCE(r.rolname, 'PUBLIC') AS grantee, c.relname AS table,
           string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type) AS rights
         FROM pg_class c CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.grantee <> c.relowner
         GROUP BY 1, 2`,
      );
      const sorted = (rights: string): string => rights.split(', ').sort().join(', ');
      const expected = [
        ...TENANT_TABLES.map((table) => [
          roles.tenant,
          table,
          TENANT_RIGHTS[table] ?? 'DELETE, INSERT, SELECT, UPDATE',
        ]),
        ...Object.entries(SYSTEM_GRANTS).map(([table, rights]) => [roles.system, table, sorted(rights)]),
        ...Object.entries(APPEND_GRANTS).map(([table, rights]) => [roles.append, table, sorted(rights)]),
        [roles.tenant, 'instance', 'SELECT'],
        [roles.system, 'instance', 'SELECT, UPDATE'],
        [roles.system, 'server_minutes', 'DELETE, INSERT, SELECT, UPDATE'],
        ...[...TENANT_TABLES, ...INSTALLATION_TABLES].map((table) => [roles.backup, table, 'SELECT']),
      ].map(String);
      expect(
        rows
          .map((row) => [row.grantee, row.table, row.rights])
          .map(String)
          .sort(),
      ).toEqual(expected.sort());
    });

    it('have keys, foreign keys and indexes that begin with tenant_id', async () => {
      const rows = await database.sql<{ name: string; first: string }>(
        `SELECT i.relname AS name, COALESCE(a.attname, '(expression)') AS first
         FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
         LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] AND x.indkey[0] <> 0
         WHERE x.indrelid = ANY ($1::regclass[])
         UNION ALL
         SELECT k.conname, a.attname || ' → ' || f.attname FROM pg_constraint k
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
         JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
         WHERE k.contype = 'f' AND k.conrelid = ANY ($1::regclass[])`,
        [await tenantTables(database)],
      );
      const others = rows.filter((row) => row.first !== 'tenant_id' && row.first !== 'tenant_id → tenant_id');
      expect(others.map((row) => row.name).sort()).toEqual(Object.keys(GLOBAL_INDEXES).sort());
      expect(rows.length).toBeGreaterThan(20);
    });

    it('have no column that holds a tenant under another name', async () => {
      const rows = await database.sql(
        `SELECT table_name, column_name FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name LIKE '%tenant%' AND column_name <> 'tenant_id'`,
      );
      expect(rows).toEqual([]);
    });
  });

  describe('functions', () => {
    interface FunctionRow {
      readonly name: string;
      readonly definer: boolean;
      readonly owner: string;
      readonly settings: string[] | null;
      readonly language: string;
    }
    const functions = (where: string, values: unknown[] = []): Promise<FunctionRow[]> =>
      database.sql<FunctionRow>(
        `SELECT p.proname AS name, p.prosecdef AS definer, p.proowner::regrole::text AS owner, p.proconfig AS settings,
           l.lanname AS language
         FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
         WHERE p.pronamespace = 'public'::regnamespace AND ${where} ORDER BY 1`,
        values,
      );

    it('are executable by nobody but the roles', async () => {
      const open = await functions(
        `(p.proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0))`,
      );
      expect(open.map((row) => row.name)).toEqual([]);
      expect((await functions('true')).length).toBeGreaterThan(15);
    });

    it('those for the append and for statistics are the only ones with rights of their own', async () => {
      const [tables] = await database.sql<{ owner: string }>(
        `SELECT relowner::regrole::text AS owner FROM pg_class WHERE oid = 'messages'::regclass`,
      );
      const owners = { append: roles.append, owner: tables?.owner };
      expect((await functions('p.prosecdef')).map(({ name, owner }) => ({ name, owner }))).toEqual(
        Object.entries(DEFINERS).map(([name, whose]) => ({ name, owner: owners[whose] })),
      );
      expect((await functions('p.proowner = $1::regrole', [roles.append])).map((row) => row.name)).toEqual(
        Object.keys(DEFINERS).filter((name) => DEFINERS[name] === 'append'),
      );
    });

    it('are executable by the tenant role, but for those of the system role', async () => {
      const by = async (role: string): Promise<string[]> =>
        (await functions('has_function_privilege($1, p.oid, $2)', [role, 'EXECUTE'])).map((row) => row.name);
      expect(await by(roles.system)).toEqual([...ALSO_SYSTEM, ...Object.keys(SYSTEM_ONLY)].sort());
      const all = (await functions('true')).map((row) => row.name);
      expect(await by(roles.tenant)).toEqual(all.filter((name) => !(name in SYSTEM_ONLY)));
    });

    it('fix their search path, but for those that are to be inlined', async () => {
      const rows = await functions('true');
      const loose = rows.filter((row) => !(row.settings ?? []).some((setting) => setting.startsWith('search_path=')));
      expect(loose.map((row) => row.name)).toEqual(INLINED);
      expect(loose.filter((row) => row.language !== 'sql' || row.definer)).toEqual([]);
    });

    it('nobody but the owner may create objects in the schema', async () => {
      const rows = await database.sql(
        `SELECT r.rolname FROM pg_roles r WHERE r.rolname = ANY ($1) AND has_schema_privilege(r.oid, 'public', 'CREATE')`,
        [names],
      );
      expect(rows).toEqual([]);
    });
  });
});
