import { describePostgres15 as describe, Postgres15 } from '../support/postgres15';
import { createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { MessageWriters } from '../support/message-writers';

const servers = new Servers();

const envFor = (url: string): Record<string, string> => ({ DATABASE_URL: url, MASTER_API_KEY: SERVED_MASTER_KEY });

/** What a person is told when the start fails: one line, or one and the SQL below it. */
async function refusal(url: string): Promise<string[]> {
  const { code, lines } = await servers.launch({ env: envFor(url) }).failure();
  expect(code).toBe(1);
  return lines.slice(1);
}

/** The SQL that a refusal offers. */
const sqlIn = (lines: readonly string[]): string => lines.filter((line) => line.startsWith('  ')).join('\n');

describe('an outside PostgreSQL 15', () => {
  let postgres: Postgres15;

  beforeAll(async () => (postgres = await Postgres15.create()));
  afterEach(async () => {
    await MessageWriters.abandonAll();
    await servers.cleanUp();
  });
  afterAll(() => postgres.remove());

  it('serves the whole product, and again after a restart', async () => {
    const env = envFor(await postgres.createDatabase('whole'));
    const first = await servers.start({ env });
    let { url } = first;
    const writers = new MessageWriters(await createServedTenant(() => url, 2, 2)).start();
    await writers.finish();
    expect(new Set(writers.acks.map((ack) => ack.clientMessageId)).size).toBe(2);
    expect(await first.server.kill('SIGTERM')).toBe(0);
    ({ url } = await servers.start({ env }));
    expect(await writers.faults()).toEqual([]);
  });

  it('keeps roles apart: no one who runs statements is a superuser, passes row-level security or is a member of another', async () => {
    await servers.start({ env: envFor(await postgres.createDatabase('apart')) });
    const roles = await postgres.sql<{ name: string; login: boolean; exempt: boolean; inside: string[] }>(
      `SELECT rolname::text AS name, rolcanlogin AS login, rolsuper OR rolbypassrls AS exempt,
         ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
           WHERE m.member = r.oid ORDER BY 1) AS inside
       FROM pg_roles r WHERE rolname LIKE 'apart%' ORDER BY 1`,
    );
    const plain = { login: false, exempt: false, inside: [] };
    expect(roles).toEqual([
      // PostgreSQL 15 cannot say WITH INHERIT FALSE; statements never run as the login role.
      {
        name: 'apart',
        login: true,
        exempt: false,
        inside: ['apart_append', 'apart_backup', 'apart_system', 'apart_tenant'],
      },
      { name: 'apart_append', ...plain },
      { name: 'apart_backup', ...plain },
      { name: 'apart_system', ...plain },
      { name: 'apart_tenant', ...plain },
    ]);
    const open = await postgres.sql(
      `SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
       WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT (relrowsecurity AND relforcerowsecurity)`,
      'apart',
    );
    expect(open).toEqual([]);
  });

  it('two installations share one cluster', async () => {
    const urls = [await postgres.createDatabase('one'), await postgres.createDatabase('two')];
    for (const url of urls) await servers.start({ env: envFor(url) });
    const names = await postgres.sql(
      `SELECT rolname::text AS name FROM pg_roles WHERE rolname ~ '^(one|two)_' ORDER BY 1`,
    );
    expect(names).toHaveLength(8);
  });

  it('tells in one line why it cannot be reached', async () => {
    const good = new URL(await postgres.createDatabase('reach'));
    const changed = (change: (url: URL) => void): string => {
      const url = new URL(good);
      change(url);
      return url.toString();
    };
    const cases: [string, RegExp][] = [
      [changed((url) => (url.port = '1')), /^No PostgreSQL answers on 127\.0\.0\.1:1 \(connection refused\)/],
      [
        changed((url) => (url.hostname = 'nowhere.invalid')),
        /^The host "nowhere\.invalid" of DATABASE_URL is not known$/,
      ],
      [changed((url) => (url.password = 'wrong')), /refuses the password of "reach": correct DATABASE_URL$/],
      [changed((url) => (url.password = '')), /wants a password for "reach"|refuses the password/],
      [changed((url) => (url.username = 'nobody')), /refuses the password of "nobody"|does not let "nobody" in/],
      [
        changed((url) => (url.pathname = '/none')),
        /^The database "none" does not exist on .* CREATE DATABASE "none" OWNER "reach"$/,
      ],
      [
        changed((url) => (url.search = '?sslmode=verify-full')),
        /does not speak TLS: take sslmode out of DATABASE_URL$/,
      ],
      [
        changed((url) => (url.search = '?sslrootcert=/no/file')),
        /^DATABASE_URL names the file \/no\/file, which cannot be read/,
      ],
      ['postgresql://u:pa#ss@127.0.0.1/db', /percent-encode special characters/],
      ['postgresql://u@/db?host=/nowhere', /^There is no PostgreSQL socket in \/nowhere/],
    ];
    const answers = await Promise.all(cases.map(([url]) => refusal(url)));
    expect(answers).toEqual(cases.map(([, pattern]) => [expect.stringMatching(pattern) as string]));
    expect(answers.join('\n')).not.toContain('wrong');
  });

  it('a superuser is refused, and the SQL that is offered helps', async () => {
    const url = await postgres.createDatabase('mighty', 'SUPERUSER');
    const lines = await refusal(url);
    expect(lines[0]).toBe(
      'DATABASE_URL logs in as "mighty", a role that row-level security does not hold. Use a role of its own:',
    );
    await postgres.sql(sqlIn(lines).replaceAll('…', 'own'));
    await servers.start({ env: envFor(url.replace('mighty:mighty', 'chatapi:own')) });
  });

  it('a role that passes row-level security is refused', async () => {
    expect((await refusal(await postgres.createDatabase('passer', 'CREATEROLE BYPASSRLS')))[0]).toContain(
      'row-level security',
    );
  });

  it('a role that may not create roles is told the SQL for an administrator, after which it starts', async () => {
    const url = await postgres.createDatabase('humble', 'NOCREATEROLE');
    const lines = await refusal(url);
    expect(lines[0]).toBe('The database role "humble" may not create roles. Let an administrator run:');
    await postgres.sql(sqlIn(lines));
    await servers.start({ env: envFor(url) });
  });

  it('a role that does not own the database, or its schema, is told the SQL for an administrator', async () => {
    const url = await postgres.createDatabase('guest');
    await postgres.sql('ALTER DATABASE guest OWNER TO postgres');
    const database = await refusal(url);
    expect(database).toEqual([
      expect.stringContaining('does not own the database'),
      '  ALTER DATABASE "guest" OWNER TO "guest";',
    ]);
    await postgres.sql(sqlIn(database));
    await postgres.sql('ALTER SCHEMA public OWNER TO postgres', 'guest');
    const schema = await refusal(url);
    expect(schema).toEqual([
      expect.stringContaining('does not own the schema'),
      '  ALTER SCHEMA public OWNER TO "guest";',
    ]);
    await postgres.sql(sqlIn(schema), 'guest');
    await servers.start({ env: envFor(url) });
  });

  it('a database in another encoding than UTF-8 is refused', async () => {
    const url = await postgres.createDatabase('latin');
    await postgres.sql('DROP DATABASE latin');
    await postgres.sql(`CREATE DATABASE latin OWNER latin ENCODING 'LATIN1' TEMPLATE template0`);
    expect(await refusal(url)).toEqual([expect.stringMatching(/^The database "latin" is encoded in LATIN1/)]);
  });
});
