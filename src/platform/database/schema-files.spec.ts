import { compareVersions, VERSION } from '../../common/version';
import { withRoles, parseFunction, parseMigration, readSchemaFiles } from './schema-files';

const ROLES = { tenant: 'a_tenant', system: 'a"s', append: 'a_append', backup: 'a_backup' };
const BODY = `CREATE FUNCTION f(p_a uuid, p_b text[], p_c timestamptz, p_d rooms, p_e double precision DEFAULT 1)
RETURNS jsonb LANGUAGE sql AS $f$ SELECT '$' $f$;
`;
const HEAD = '-- What it is for.\n--\n-- execute: tenant\n';

describe('a function’s file', () => {
  it('says its signature as PostgreSQL does, who owns it, who may call it, and what else it touches', () => {
    const head = `-- tables: rooms, jobs\n-- owner: append\n-- execute: tenant, system\n-- keeps: f(uuid) for releases before 0.3.0\n`;
    const trigger = 'CREATE TRIGGER t AFTER INSERT ON rooms EXECUTE FUNCTION f();';
    const file = parseFunction('any/f.sql', `${head}${BODY}\n${trigger}\n`);
    expect(file).toMatchObject({
      signature: 'f(uuid,text[],timestamp with time zone,rooms,double precision)',
      owner: 'append',
      execute: ['tenant', 'system'],
      tables: ['rooms', 'jobs'],
      kept: [{ signature: 'f(uuid)', before: '0.3.0' }],
      create: BODY.trim(),
      triggers: trigger,
    });
    expect(parseFunction('f.sql', HEAD + BODY)).toMatchObject({ owner: undefined, tables: [], kept: [], triggers: '' });
  });

  it('has another hash when anything of it changes', () => {
    const hash = (text: string): string => parseFunction('f.sql', text).hash;
    expect(hash(HEAD + BODY)).toBe(hash(HEAD + BODY));
    expect(hash(HEAD + BODY)).not.toBe(hash(HEAD.replace('tenant', 'system') + BODY));
  });

  it.each([
    ['no function', HEAD, 'holds no function'],
    ['another function', HEAD + BODY.replace('f(', 'g('), 'makes the function g'],
    ['nobody who may call it', BODY, 'does not say who may execute it'],
    ['a role that there is not', HEAD.replace('tenant', 'admin') + BODY, 'names the role admin'],
    ['a statement before it', `SELECT 1;\n${HEAD}${BODY}`, 'has a statement before its function'],
    ['a statement behind it', `${HEAD}${BODY}GRANT EXECUTE ON FUNCTION f TO PUBLIC;`, 'holds more than its function'],
    ['a second function', HEAD + BODY + BODY, 'holds more than its function'],
    [
      'a signature that it keeps for ever',
      `-- keeps: f(uuid)\n${HEAD}${BODY}`,
      'does not say for whom it keeps f(uuid)',
    ],
  ])('is refused with %s', (_, text, why) => {
    expect(() => parseFunction('f.sql', text)).toThrow(why);
  });
});

describe('a migration’s file', () => {
  it('says what it is recorded as, and the oldest release that runs on the schema since it', () => {
    expect(parseMigration('any/0099-drop.sql', 'DROP TABLE x;')).toEqual({ name: '0099-drop', sql: 'DROP TABLE x;' });
    const sql = '-- recorded as: Drop1\n-- needs release: 0.3.0\nDROP TABLE x;';
    expect(parseMigration('any/0099-drop.sql', sql)).toEqual({ name: 'Drop1', sql, minRelease: '0.3.0' });
  });
});

describe('the files', () => {
  const files = readSchemaFiles();

  it('hold each function once', () => {
    const names = files.functions.map(({ signature }) => signature.split('(')[0]);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(60);
  });

  it('give tables behind those that they refer to', () => {
    const made = new Set<string>();
    for (const sql of files.tables) {
      for (const [, table = ''] of sql.matchAll(/CREATE (?:UNLOGGED )?TABLE (\w+)/g)) made.add(table);
      for (const [, table = ''] of sql.matchAll(/REFERENCES (\w+)/g)) expect(made).toContain(table);
    }
    expect(made.size).toBeGreaterThan(25);
  });

  it('give migrations oldest first, each under the name that databases have', () => {
    expect(files.migrations.map(({ name }) => name).slice(0, 6)).toEqual([
      'Answers1765065600000',
      'TenantCounts1765152000000',
      'KeyCanaries1765238400000',
      'OneBirth1765324800000',
      'ModelOptions1765411200000',
      '0023-schema-files',
    ]);
  });

  it('hold no migration that needs a release after this one', () => {
    const needs = files.migrations.map(({ minRelease = '0.0.0' }) => minRelease);
    expect(needs.filter((release) => compareVersions(VERSION, release) < 0)).toEqual([]);
  });

  it('name roles and a tenant’s own rows, which an installation fills in', () => {
    expect(withRoles('GRANT x TO :"tenant", :"system"; USING (:own_rows); a::own_rows_x', ROLES)).toBe(
      `GRANT x TO "a_tenant", "a""s"; USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid); a::own_rows_x`,
    );
    expect(() => withRoles('GRANT x TO :"admin"', ROLES)).toThrow('names the role admin');
    const all = [...files.tables, ...files.migrations.map(({ sql }) => sql), ...files.functions.map((f) => f.create)];
    expect(all.map((sql) => withRoles(sql, ROLES)).filter((sql) => /:"|:own/.test(sql))).toEqual([]);
  });
});
