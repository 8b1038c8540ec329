import { migrate, type Release, thisRelease } from '../../src/platform/database/migrator';
import {
  FIRST_MIGRATIONS,
  type FunctionFile,
  type Migration,
  parseFunction,
} from '../../src/platform/database/schema-files';
import { BackupsFixture, HARD_ROWS, type DatabaseSnapshot, snapshotOf } from '../support/backups';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database';
import { isOfKeptFunction, KEPT_FUNCTIONS, BACKUP_0016, makeSchema0022 } from '../support/old-schemas';

const LOGIN = 'chatapi';
const OURS = thisRelease();
/** Of one argument, of another, and with another result. */
const GREET = `-- execute: tenant\nCREATE FUNCTION greet(p_name text) RETURNS text LANGUAGE sql AS $f$ SELECT 'hello' $f$;\n`;

const greet = (change: (text: string) => string = (text) => text): FunctionFile =>
  parseFunction('greet.sql', change(GREET));

/** This release with other functions, under another version. */
function release(version: string, ...functions: FunctionFile[]): Release {
  const names = new Set(functions.map(({ signature }) => signature.split('(')[0]));
  const others = OURS.files.functions.filter(({ signature }) => !names.has(signature.split('(')[0]));
  return { ...OURS, version, files: { ...OURS.files, functions: [...others, ...functions] } };
}

/** Rows as text, without the columns that were added behind those of the rows before. */
function withoutLaterColumns(rows: readonly string[] = [], before: readonly string[]): string[] {
  return rows.map((row, i) => (row.startsWith(`${before[i]?.slice(0, -1)},`) ? (before[i] ?? row) : row));
}

describe('the migrator', () => {
  const databases: TestDatabase[] = [];
  const progress: string[] = [];

  const own = async (database: Promise<TestDatabase>): Promise<TestDatabase> => {
    databases.push(await database);
    return database;
  };
  const start = async ({ connection }: TestDatabase, of?: Release): Promise<void> => {
    progress.length = 0;
    const onProgress = (line: string): void => void progress.push(line);
    await migrate({ connection, allowUnsafe: true, onProgress, ...(of === undefined ? {} : { release: of }) });
  };
  const picture = ({ sql, name }: TestDatabase, prefix = name): Promise<DatabaseSnapshot> =>
    snapshotOf((text) => sql(text), { login: LOGIN, prefix });
  /** The body of each function of this name, by its signature. */
  const bodies = async ({ sql }: TestDatabase, name: string): Promise<Record<string, string>> => {
    const rows = await sql<{ signature: string; body: string }>(
      'SELECT oid::regprocedure::text AS signature, trim(prosrc) AS body FROM pg_proc WHERE proname = $1 ORDER BY 1',
      [name],
    );
    return Object.fromEntries(rows.map(({ signature, body }) => [signature, body]));
  };
  /** What every write would change: where the rows of the catalogue and of the records lie. */
  const places = ({ sql }: TestDatabase): Promise<object[]> =>
    sql(`SELECT 'function' AS what, ctid, xmin::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'instance', ctid, xmin::text FROM instance UNION ALL SELECT 'trigger', ctid, xmin::text FROM pg_trigger
      UNION ALL SELECT 'migration', ctid, xmin::text FROM schema_migrations
      UNION ALL SELECT 'record', ctid, xmin::text FROM schema_functions ORDER BY 1, 2`);

  let fresh: DatabaseSnapshot;
  beforeAll(async () => {
    fresh = await picture(await own(createTestDatabase()), 'chatapi');
  });
  afterAll(async () => {
    for (const database of databases) await database.drop();
  });

  /** The schema without functions that it keeps for servers of the release before, those, and the records of the others. */
  const apart = ({ schema, rows }: DatabaseSnapshot): Record<'schema' | 'kept' | 'made', readonly string[]> => {
    const kept = schema.filter((line) => !fresh.schema.includes(line) && isOfKeptFunction(line));
    const made = rows['schema_functions'] ?? [];
    return {
      schema: schema.filter((line) => !kept.includes(line)),
      kept,
      made: made.filter((row) => !KEPT_FUNCTIONS.some((one) => row.startsWith(`("${one}",`))),
    };
  };

  describe('leads to the same schema', () => {
    it('from the last one that was made otherwise, with its rows', async () => {
      const old = await own(createEmptyDatabase());
      await makeSchema0022(old);
      await old.sql(HARD_ROWS);
      const before = await picture(old);
      expect(before.schema).not.toEqual(fresh.schema);
      await start(old);
      const after = await picture(old);
      const { schema, kept, made } = apart(after);
      expect(schema).toEqual(fresh.schema);
      // Each with the right to call it.
      const hadBefore = KEPT_FUNCTIONS.filter((one) => before.schema.some((line) => line.includes(` on ${one}: `)));
      expect(hadBefore).not.toEqual([]);
      expect(kept).toHaveLength(2 * hadBefore.length);
      const names = ['schema_migrations', 'schema_functions', 'instance'];
      for (const [table, rows] of Object.entries(before.rows))
        if (!names.includes(table))
          expect([table, withoutLaterColumns(after.rows[table], rows)]).toEqual([table, rows]);
      expect(made).toEqual(fresh.rows['schema_functions']);
      expect(Object.values(after.rows).flat().length).toBeGreaterThan(4000);
    });

    it('from that of the first backups', async () => {
      const backups = new BackupsFixture();
      const target = await own(createEmptyDatabase());
      await backups.restore(BACKUP_0016, target.connection);
      const after = await picture(target);
      const { schema, made } = apart(after);
      expect(schema).toEqual(fresh.schema);
      expect(made).toEqual(fresh.rows['schema_functions']);
      // What was there is counted.
      expect(after.rows['tenant_counts']).toEqual([
        '(01900000-0000-7000-8000-0000000000d2,2,2)',
        '(01a22384-25de-74fd-aee0-a47652f8e5dc,3,2)',
      ]);
      backups.remove();
    });

    it('and makes users of who had only subscribed or been notified, beyond the limit too, and counts them', async () => {
      const old = await own(createEmptyDatabase());
      await makeSchema0022(old);
      await old.sql(HARD_ROWS);
      const [tenant] = await old.sql<{ tenant_id: string; users: number }>(
        'SELECT tenant_id, users::int FROM tenant_counts WHERE users > 0 LIMIT 1',
      );
      const id = tenant?.tenant_id;
      await old.sql(`UPDATE tenants SET limits = '{"users":1}' WHERE tenant_id = $1`, [id]);
      await old.sql(
        `WITH n AS (INSERT INTO notifications (tenant_id, notification_id, topic, payload, user_ids, topic_subscribers)
            VALUES ($1, gen_random_uuid(), 'a', '{}', '{told}', false) RETURNING tenant_id, notification_id),
          d AS (INSERT INTO notification_deliveries (tenant_id, user_id, notification_id, waits_since)
            SELECT tenant_id, 'told', notification_id, now() FROM n)
         INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic) VALUES ($1, gen_random_uuid(), 'keen', 'a')`,
        [id],
      );
      await start(old);
      const found = await old.sql<{ user_id: string }>(
        `SELECT user_id FROM users WHERE tenant_id = $1 AND user_id IN ('told', 'keen') ORDER BY user_id`,
        [id],
      );
      expect(found.map(({ user_id }) => user_id)).toEqual(['keen', 'told']);
      const counted = await old.sql('SELECT users::int FROM tenant_counts WHERE tenant_id = $1', [id]);
      expect(counted).toEqual([{ users: (tenant?.users ?? 0) + 2 }]);
    });

    it('where two servers start at once', async () => {
      const database = await own(createEmptyDatabase());
      await Promise.all([start(database), start(database)]);
      expect((await picture(database)).schema).toEqual(fresh.schema);
    });

    it('and writes nothing where it is there already', async () => {
      const database = await own(createTestDatabase());
      const before = await places(database);
      await start(database);
      expect(await places(database)).toEqual(before);
      expect(progress).toEqual([]);
    });
  });

  describe('refuses', () => {
    it('a schema of before the first backups, and one that a newer version made', async () => {
      const old = await own(createTestDatabase());
      await old.sql(
        `DELETE FROM schema_migrations WHERE id >= (SELECT id FROM schema_migrations WHERE name LIKE 'Restores%')`,
      );
      await expect(start(old)).rejects.toThrow(
        /schema of before the first release \(its last migration is FirstSocket/,
      );
      const newer = await own(createTestDatabase());
      await newer.sql(`INSERT INTO schema_migrations (timestamp, name) VALUES (1, '9999-future')`);
      await expect(start(newer)).rejects.toThrow(/newer schema than this version knows \(9999-future\)/);
    });

    it('a database that is for newer releases only', async () => {
      const database = await own(createTestDatabase());
      await start(database, { ...OURS, version: '0.3.0', minRelease: '0.2.0' });
      await expect(start(database)).rejects.toThrow('The database is for release 0.2.0 and newer ones, this is 0.1.0');
      await start(database, { ...OURS, version: '0.2.0' });
    });

    it('what a first start of an earlier version has left that was cut short, and says so', async () => {
      const cut = await own(createEmptyDatabase());
      await cut.sql(
        `CREATE TABLE schema_migrations (id serial PRIMARY KEY, "timestamp" bigint NOT NULL, name varchar NOT NULL);
         ALTER TABLE schema_migrations OWNER TO ${LOGIN}`,
      );
      await expect(start(cut)).rejects.toThrow(
        /first start of an earlier version was cut short .* drop the empty table/,
      );
      await cut.sql('DROP TABLE schema_migrations');
      await start(cut);
      expect((await picture(cut)).schema).toEqual(fresh.schema);
    });

    it('a database of somebody else’s, and changes nothing of it', async () => {
      const other = await own(createEmptyDatabase());
      await other.sql('CREATE TABLE schema_migrations (version text)');
      await expect(start(other)).rejects.toThrow(/holds a table schema_migrations that is not ChatAPI's/);
      const close = await own(createEmptyDatabase());
      await close.sql(
        `CREATE FUNCTION json_merge(json, json) RETURNS json LANGUAGE sql AS 'SELECT NULL::json'; ALTER FUNCTION json_merge OWNER TO ${LOGIN}`,
      );
      await expect(start(close)).rejects.toThrow(/holds a function json_merge\(json,json\) that is not ChatAPI's/);
      expect(await bodies(close, 'json_merge')).toEqual({ 'json_merge(json,json)': 'SELECT NULL::json' });
      expect((await picture(close)).rows).toEqual({});
    });
  });

  describe('of a schema that a newer release made', () => {
    /** The next release, with a migration of its own. */
    const next = (version: string, migration: Partial<Migration> = {}): Release => ({
      ...release(version, greet()),
      files: {
        ...release(version, greet()).files,
        migrations: [
          ...OURS.files.migrations,
          { name: '9999-next', sql: 'ALTER TABLE rooms ADD COLUMN mood text', ...migration },
        ],
      },
    });

    it('lets a release start that may still run on it, says so, and changes nothing', async () => {
      const database = await own(createTestDatabase());
      await start(database, next('0.2.0'));
      const [recorded] = await database.sql<{ min_release: string }>(
        `SELECT min_release FROM schema_migrations WHERE name = '9999-next'`,
      );
      expect(recorded?.min_release).toBe('0.1.0');
      const before = await places(database);
      await start(database);
      expect(await places(database)).toEqual(before);
      expect(progress).toEqual([`The database has the schema of release 0.2.0; ${OURS.version} still runs on it`]);
    });

    it('refuses one that is older than what a migration needs, and names it', async () => {
      const database = await own(createTestDatabase());
      await start(database, next('0.3.0', { minRelease: '0.2.0' }));
      await expect(start(database)).rejects.toThrow(
        'The database is for release 0.2.0 and newer ones since 9999-next, this is 0.1.0: start a newer version',
      );
      await start(database, { ...OURS, version: '0.2.0' });
      // Also where it knows the migration: what that needs is in force for all.
      expect(await database.sql('SELECT min_release FROM instance')).toEqual([{ min_release: '0.2.0' }]);
    });

    it.each([
      ['of the same release, as another build made it', '0.1.0', '0.1.0'],
      ['of an older one', '0.0.9', '0.0.9'],
      ['that does not say what it needs', '0.2.0', null],
    ])('refuses one %s', async (_, functionsRelease, needs) => {
      const database = await own(createTestDatabase());
      await database.sql(`INSERT INTO schema_migrations (timestamp, name, min_release) VALUES (1, '9999-stub', $1)`, [
        needs,
      ]);
      await database.sql('UPDATE instance SET functions_release = $1', [functionsRelease]);
      await expect(start(database)).rejects.toThrow(
        'The database has a newer schema than this version knows (9999-stub): start the newer version',
      );
      await database.sql(`UPDATE schema_migrations SET min_release = '0.1.0' WHERE name = '9999-stub'`);
      await database.sql(`UPDATE instance SET functions_release = '0.2.0'`);
      await start(database);
    });

    it('is recorded with what each migration needs on a new database, too', async () => {
      const made = await own(createEmptyDatabase());
      await start(made, next('0.3.0', { sql: 'SELECT 1', minRelease: '0.2.0' }));
      const needs = `SELECT min_release, count(*)::int AS n FROM schema_migrations GROUP BY 1 ORDER BY 1`;
      expect(await made.sql(needs)).toEqual([
        { min_release: '0.1.0', n: FIRST_MIGRATIONS.length + OURS.files.migrations.length },
        { min_release: '0.2.0', n: 1 },
      ]);
    });
  });

  describe('re-applies functions whose file has changed', () => {
    const N = release('0.2.0', greet());
    let database: TestDatabase;
    beforeAll(async () => {
      database = await own(createTestDatabase());
    });
    beforeEach(async () => {
      await database.sql(`UPDATE instance SET functions_release = '0.1.0', min_release = '0.1.0'`);
      await start(database, N);
    });

    it('and takes nothing back where an older release restarts', async () => {
      const [oid] = await database.sql(`SELECT oid FROM pg_proc WHERE proname = 'greet'`);
      const before = await picture(database);
      await start(
        database,
        release(
          '0.1.9',
          greet((text) => text.replace('hello', 'good day')),
        ),
      );
      await start(database);
      expect(await picture(database)).toEqual(before);
      expect(await database.sql(`SELECT oid FROM pg_proc WHERE proname = 'greet'`)).toEqual([oid]);
      // One of a pre-release is older too; the next patch is not.
      await start(
        database,
        release(
          '0.2.0-rc.1',
          greet((text) => text.replace('hello', 'good day')),
        ),
      );
      expect(await picture(database)).toEqual(before);
      await start(
        database,
        release(
          '0.2.1',
          greet((text) => text.replace('hello', 'good day')),
        ),
      );
      expect(await bodies(database, 'greet')).toEqual({ 'greet(text)': `SELECT 'good day'` });
    });

    it('in place, where PostgreSQL can replace them, with their rights', async () => {
      const oids = (): Promise<object[]> =>
        database.sql(
          `SELECT oid, proowner, proacl::text FROM pg_proc WHERE proname IN ('greet', 'append_lookup') ORDER BY proname`,
        );
      const before = await oids();
      const lookup = OURS.files.functions.find(({ signature }) => signature.startsWith('append_lookup('));
      if (lookup === undefined) throw new Error('there is no append_lookup');
      const changed = {
        ...lookup,
        create: lookup.create.replace('SELECT u.ord', 'SELECT /* ! */ u.ord'),
        hash: 'other',
      };
      await start(
        database,
        release(
          '0.2.0',
          greet((text) => text.replace('hello', 'hi')),
          changed,
        ),
      );
      expect(await oids()).toEqual(before);
      expect(Object.values(await bodies(database, 'append_lookup'))).toEqual([expect.stringContaining('/* ! */')]);
      await start(
        database,
        release(
          '0.2.0',
          greet((text) => text.replace('execute: tenant', 'execute: system')),
        ),
      );
      const [roles] = await database.sql<{ prefix: string }>('SELECT role_prefix AS prefix FROM instance');
      const [rights] = await database.sql(
        `SELECT has_function_privilege($1, 'greet(text)', 'EXECUTE') AS system, has_function_privilege($2, 'greet(text)', 'EXECUTE') AS tenant`,
        [`${roles?.prefix ?? ''}_system`, `${roles?.prefix ?? ''}_tenant`],
      );
      expect(rights).toEqual({ system: true, tenant: false });
    });

    it.each([
      ['another result', (text: string) => text.replace('RETURNS text', 'RETURNS varchar')],
      ['another name of a parameter', (text: string) => text.replace('p_name', 'p_who')],
      ['another owner', (text: string) => text.replace('--', '-- owner: append\n--').replace('tenant', 'system')],
    ])('anew, where they have %s', async (_, change) => {
      const file = greet((text) => change(text).replace('hello', 'again'));
      await start(database, release('0.2.0', file));
      expect(await bodies(database, 'greet')).toEqual({ 'greet(text)': `SELECT 'again'` });
      await start(database, N);
      expect(await bodies(database, 'greet')).toEqual({ 'greet(text)': `SELECT 'hello'` });
    });

    it('and drops the signature of before, but while an older release that calls it may run', async () => {
      const wider = (head: string): FunctionFile =>
        greet((text) => `${head}${text.replace('p_name text', 'p_name text, p_times integer DEFAULT 1')}`);
      await start(database, release('0.3.0', wider('-- keeps: greet(text) for releases before 0.3.0\n')));
      expect(Object.keys(await bodies(database, 'greet'))).toEqual(['greet(text)', 'greet(text,integer)']);
      // Of the next release none that calls it may run beside it.
      const last = release('0.4.0', wider('-- keeps: greet(text) for releases before 0.3.0\n'));
      await start(database, { ...last, minRelease: '0.3.0' });
      expect(Object.keys(await bodies(database, 'greet'))).toEqual(['greet(text,integer)']);
      await start(database, release('0.5.0', greet()));
      expect(Object.keys(await bodies(database, 'greet'))).toEqual(['greet(text)']);
    });

    it('drops what has no file any more, with its triggers, and nothing of anybody else’s', async () => {
      const file = `-- execute: tenant\nCREATE FUNCTION on_user() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$;\n`;
      const trigger = (name: string): FunctionFile =>
        parseFunction(
          'on_user.sql',
          `${file}CREATE TRIGGER ${name} BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION on_user();\n`,
        );
      await database.sql(`CREATE FUNCTION greet(integer) RETURNS text LANGUAGE sql AS $$ SELECT 'mine' $$;
        ALTER FUNCTION greet(integer) OWNER TO ${LOGIN}`);
      const triggers = async (): Promise<string[]> => {
        const rows = await database.sql<{ tgname: string }>(
          `SELECT tgname FROM pg_trigger WHERE tgrelid = 'users'::regclass AND tgname LIKE 'on\\_%'`,
        );
        return rows.map(({ tgname }) => tgname);
      };
      await start(database, release('0.2.0', greet(), trigger('on_one')));
      expect(await triggers()).toEqual(['on_one']);
      await start(database, release('0.2.0', greet(), trigger('on_another')));
      expect(await triggers()).toEqual(['on_another']);
      await start(database, { ...OURS, version: '0.2.0' });
      expect(await triggers()).toEqual([]);
      expect(await bodies(database, 'on_user')).toEqual({});
      expect(await bodies(database, 'greet')).toEqual({ 'greet(integer)': `SELECT 'mine'` });
      await database.sql('DROP FUNCTION greet(integer)');
    });

    it('and makes again what is gone', async () => {
      await database.sql('DROP FUNCTION greet(text)');
      await start(database, N);
      expect(Object.keys(await bodies(database, 'greet'))).toEqual(['greet(text)']);
    });

    it('all or none, together with the migrations', async () => {
      const before = await picture(database);
      const broken: Release = {
        ...release(
          '0.3.0',
          greet((text) => text.replace('hello', 'new')),
          parseFunction('zz.sql', GREET.replace('greet', 'zz').replace('sql AS', 'nonsense AS')),
        ),
      };
      const files = {
        ...broken.files,
        migrations: [...OURS.files.migrations, { name: '9999-next', sql: 'CREATE TABLE next (n int)' }],
      };
      await expect(start(database, { ...broken, files })).rejects.toThrow(/language "nonsense" does not exist/);
      expect(await picture(database)).toEqual(before);
    });
  });

  it('every function of the files has a body that PostgreSQL understands, under the signature that its file is known by', async () => {
    const database = await own(createTestDatabase());
    const { functions } = OURS.files;
    const again = functions.map(({ create }) => create.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION'));
    await database.sql(`SET search_path = public; ${again.join('\n')}`);
    const signatures = functions.map(({ signature }) => signature);
    const known = await database.sql<{ text: string }>(
      'SELECT s::regprocedure::text AS text FROM unnest($1::text[]) WITH ORDINALITY x (s, n) ORDER BY n',
      [signatures],
    );
    expect(known.map(({ text }) => text)).toEqual(signatures);
    expect(signatures.length).toBeGreaterThan(60);
    expect((await picture(database, 'chatapi')).schema.filter((line) => line.startsWith('function'))).toEqual(
      fresh.schema.filter((line) => line.startsWith('function')),
    );
  });
});
