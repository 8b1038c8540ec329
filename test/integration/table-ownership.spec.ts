import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseFunction } from '../../src/platform/database/schema-files';
import { eachLiteral, ROOT, sourcesIn } from '../support/sources';

/** A table's owner is the folder whose schema/ makes it (docs/architecture.md: it is read and written only there). */
const OWNED = /^(src\/(?:platform|modules)\/[^/]+\/)schema\/(tables\.sql|functions\/\w+\.sql)$/;
/** Facts of the installation, written by several of its parts. */
const WIDER: Readonly<Record<string, string>> = { instance: 'src/platform/' };

/** `file: table` that may stay for now, each with its reason. */
const TOLERATED = new Set<string>([
  // Marks the first start as done, in the transaction that makes the demo tenant.
  'src/modules/first-start/first-start.service.ts: instance',
  // Keeps what the keys are compared with at the start.
  'src/modules/admin/key-check.ts: instance',
]);

/** SQL of the database's own: its migrations, and what a backup asks and leaves, which stands before any schema. */
const ITS_OWN = /^src\/platform\/database\/(migrations\/\d{4}-[\w-]+|backup\/(access|catalogue|mark))\.sql$/;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('table ownership', () => {
  const files = filesIn('src');
  const schema = files.filter((file) => OWNED.test(file));
  const owners = new Map(
    schema.flatMap((file) =>
      [...read(file).matchAll(/^CREATE (?:UNLOGGED )?TABLE (\w+)/gm)].map(([, table = '']) => [
        table,
        WIDER[table] ?? OWNED.exec(file)?.[1] ?? '',
      ]),
    ),
  );
  const tables = [...owners.keys()];
  const isForeign = (file: string, table: string): boolean => !file.startsWith(owners.get(table) ?? '?');

  it('knows every file of the schema, and every table', () => {
    const other = files.filter((file) => file.endsWith('.sql') && !OWNED.test(file));
    expect(other.filter((file) => !ITS_OWN.test(file))).toEqual([]);
    expect(tables.length).toBeGreaterThan(25);
    expect(new Set(owners.values()).size).toBeGreaterThan(9);
  });

  describe('of the code', () => {
    const sources = sourcesIn(join(ROOT, 'src'));
    const uses = sources.flatMap((file) => tablesIn(read(file), tables).map((table) => ({ file, table })));

    it('sees the tables that a source names in its SQL', () => {
      const source = [
        'const a = `SELECT 1 FROM messages m, cursors c ${x} JOIN "users" ON true`;',
        "const b = 'UPDATE rooms SET a = 1' + `DELETE FROM api_keys WHERE ${y}`;",
        "const c = 'messages and room_members of tenants'; // SELECT FROM jobs",
        'const d = `SELECT * FROM room_events_after($1)`;',
      ].join('\n');
      expect(tablesIn(source, tables).sort()).toEqual(['api_keys', 'cursors', 'messages', 'rooms', 'users']);
    });

    it('finds every module’s own SQL', () => {
      const owned = new Set(uses.filter(({ file, table }) => !isForeign(file, table)).map(({ table }) => table));
      for (const table of ['tenants', 'api_keys', 'users', 'rooms', 'room_members', 'cursors', 'messages'])
        expect(owned).toContain(table);
    });

    it('is kept', () => {
      const foreign = uses.filter(({ file, table }) => isForeign(file, table));
      const broken = foreign.map(({ file, table }) => `${file}: ${table}`).filter((use) => !TOLERATED.has(use));
      expect(broken).toEqual([]);
    });

    it('has no piece of the schema: that is SQL in files of its own', () => {
      const made = /\bCREATE (?:OR REPLACE )?(?:UNLOGGED |UNIQUE |CONSTRAINT )*(?:FUNCTION|TABLE|INDEX|TRIGGER)\b/;
      const makers = sources.filter((file) => made.test(read(file)));
      // It reads them.
      expect(makers).toEqual(['src/platform/database/schema-files.ts']);
    });
  });

  describe('of the functions', () => {
    const functions = schema.filter((file) => file.includes('/functions/'));

    it('sees the tables that a function names', () => {
      const body = (sql: string): string[] => tablesOf(sql, tables).sort();
      expect(body(`SELECT 1 FROM messages m JOIN public.cursors c ON 'FROM users' -- FROM jobs`)).toEqual([
        'cursors',
        'messages',
      ]);
      expect(body('CREATE FUNCTION f(p rooms, q bigint) RETURNS SETOF room_members')).toEqual([
        'room_members',
        'rooms',
      ]);
      expect(body('DECLARE a chats; b runs[]; c presets := NULL::webhooks;')).toEqual([
        'chats',
        'presets',
        'runs',
        'webhooks',
      ]);
      expect(body('ANALYZE rooms, messages; LOCK TABLE users; TRUNCATE jobs')).toEqual([
        'jobs',
        'messages',
        'rooms',
        'users',
      ]);
      expect(body('CREATE TRIGGER t AFTER INSERT ON room_events; DELETE FROM ONLY jobs USING chats')).toEqual([
        'chats',
        'jobs',
        'room_events',
      ]);
      expect(
        body('WITH runs AS (SELECT 1), jobs AS MATERIALIZED (SELECT 2) SELECT users, c.rooms FROM runs, jobs'),
      ).toEqual([]);
    });

    it.each(functions)('%s says which tables of other modules it touches', (file) => {
      const text = read(file);
      const foreign = tablesOf(text, tables).filter((table) => isForeign(file, table));
      expect([...parseFunction(file, text).tables].sort()).toEqual(foreign.sort());
    });
  });
});

/** Below a folder, as paths from the root. */
function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
    relative(ROOT, join(ROOT, folder, name)).replaceAll('\\', '/'),
  );
}

/** The tables that SQL reads, writes, or has rows of. */
function tablesOf(sql: string, tables: readonly string[]): string[] {
  const code = sql.replace(/--.*$/gm, '').replace(/'(?:[^']|'')*'/g, `''`);
  const named = new Set([...code.matchAll(/\b(\w+) AS (?:NOT )?(?:MATERIALIZED )?\(/g)].map(([, name]) => name));
  return tables.filter((table) => {
    if (named.has(table)) return false;
    const clause = `\\b(?:FROM|JOIN|INTO|UPDATE|ONLY|ON|USING|TABLE|TRUNCATE|SETOF|RETURNS)\\s+(?:public\\.)?${table}\\b`;
    const list = `\\b(?:FROM|ANALYZE|TABLE|TRUNCATE)\\s+[\\w, ]*\\b${table}\\b`;
    const row = `(?:[(;,]|\\bDECLARE\\b)\\s*\\w+\\s+${table}(?:\\[\\])?\\s*(?:[;,)]|:=)|::${table}\\b`;
    return new RegExp(`${clause}|${list}|${row}`).test(code);
  });
}

/** The tables named in string literals that look like SQL. */
function tablesIn(source: string, tables: readonly string[]): string[] {
  const found = new Set<string>();
  eachLiteral(source, (text) => {
    if (/\b(SELECT|FROM|JOIN|INTO|UPDATE|DELETE|WHERE|TABLE)\b/.test(text))
      for (const table of tables) if (new RegExp(`\\b${table}\\b`).test(text)) found.add(table);
  });
  return [...found];
}
