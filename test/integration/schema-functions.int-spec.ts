import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { answer, rows, schemaFunction, schemaFunctions, systemFunction, value } from '../../src/platform/database';
import { roleNames } from '../../src/platform/database/roles';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eachLiteral, ROOT, sourcesIn } from '../support/sources';

type Declared = (typeof schemaFunctions)[number];

/** Files that may name a function themselves, each with its reason. */
const TOLERATED: Readonly<Record<string, string>> = {
  'src/platform/database/backup/restore.ts': 'runs on a connection of its own, before there is a Database',
};
const DECLARES = /\b(schemaFunction|systemFunction|eraseFunction)\(/;

/** A function as PostgreSQL knows it. */
interface CatalogueRow {
  readonly name: string;
  readonly arguments: string[];
  readonly types: string[];
  /** Arguments without a default; they come first. */
  readonly required: number;
  readonly isSet: boolean;
  readonly returns: string;
  readonly source: string;
  readonly language: string;
  readonly ofTenant: boolean;
  readonly ofSystem: boolean;
}

const CATALOGUE = `
SELECT p.proname AS name, COALESCE(p.proargnames[1:p.pronargs], '{}')::text[] AS arguments,
  ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(t, n) ORDER BY n) AS types,
  p.pronargs - p.pronargdefaults AS required, p.proretset AS "isSet", format_type(p.prorettype, NULL) AS returns,
  p.prosrc AS source, l.lanname AS language, has_function_privilege($1, p.oid, 'EXECUTE') AS "ofTenant",
  has_function_privilege($2, p.oid, 'EXECUTE') AS "ofSystem"
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'public'::regnamespace`;

/** Every function that the server's sources declare: a new file cannot be forgotten here. */
function allDeclared(): readonly Declared[] {
  const files = sourcesIn(join(ROOT, 'src')).filter((file) => DECLARES.test(readFileSync(join(ROOT, file), 'utf8')));
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the files are found at run time
  for (const file of files) require(join(ROOT, file));
  return [...schemaFunctions];
}

describe('the functions of the schema', () => {
  const declared = allDeclared();
  let database: TestDatabase;
  let catalogue: readonly CatalogueRow[];

  beforeAll(async () => {
    database = await createTestDatabase();
    const [instance] = await database.sql<{ role_prefix: string }>('SELECT role_prefix FROM instance');
    const roles = roleNames(instance?.role_prefix ?? '');
    catalogue = await database.sql<CatalogueRow>(CATALOGUE, [roles.tenant, roles.system]);
  });
  afterAll(() => database.drop());

  const faults = (fn: Declared): string[] => faultsOf(fn, catalogue);

  it('are found', () => {
    expect(declared.length).toBeGreaterThan(30);
    expect(declared.map(({ name }) => name)).toContain('append_messages');
  });

  it('are declared once each', () => {
    const names = declared.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it('are declared as the catalogue has them: arguments, types, what they return, statuses, rights', () => {
    expect(declared.flatMap(faults)).toEqual([]);
  });

  const JOIN = { p_room: 'uuid', p_user: 'text' } as const;
  const REFUSALS = { no_room: () => new Error() as never, forbidden: () => new Error() as never };
  it.each([
    ['there is no such function', 'room_jion', JOIN, answer(REFUSALS)],
    ['no signature has p_tenant, p_room, p_usr', 'room_join', { p_room: 'uuid', p_usr: 'text' }, answer(REFUSALS)],
    ['no signature has p_tenant, p_room', 'room_join', { p_room: 'uuid' }, answer(REFUSALS)],
    ['no signature has p_tenant, p_room, p_user, p_as', 'room_join', { ...JOIN, p_as: 'text' }, answer(REFUSALS)],
    ['p_room is uuid, not text', 'room_join', { p_room: 'text', p_user: 'text' }, answer(REFUSALS)],
    ['returns jsonb, not set', 'room_join', JOIN, rows()],
    ['returns jsonb, not text', 'room_join', JOIN, value('text')],
    ['returns set, not jsonb', 'dead_letters_page', { p_limit: 'integer' }, value('jsonb')],
    ['says forbidden, no_room, ok; not no_room, ok', 'room_join', JOIN, answer({ no_room: REFUSALS.no_room })],
    [
      'says forbidden, no_room, ok; not forbidden, full, no_room, ok',
      'room_join',
      JOIN,
      answer({ ...REFUSALS, full: REFUSALS.no_room }),
    ],
  ] as const)('a wrong declaration is noticed: %s', (fault, name, args, returns) => {
    const wrong = schemaFunction<Record<string, 'uuid' | 'text' | 'integer'>, unknown>(name, args, returns);
    expect(faults(wrong)).toEqual([`${name}: ${fault}`]);
  });

  it('a declaration for the wrong role, and one that hides a default, are noticed', () => {
    const asSystem = systemFunction('room_lock', { p_tenant: 'uuid', p_room: 'uuid' }, value('text'));
    expect(faults(asSystem)).toContain('room_lock: the system role may not call it');
    const hidden = systemFunction('raise_epoch', { p_seen: 'bigint?' }, value('bigint'));
    expect(faults(hidden)).toEqual(['raise_epoch: p_seen has a default that NULL would be sent for']);
    expect(faults(systemFunction('raise_epoch', {}, value('bigint')))).toEqual([]);
  });

  it('one whose argument was renamed in the database is noticed', async () => {
    const changed = catalogue.map((row) =>
      row.name === 'room_join' ? { ...row, arguments: row.arguments.map((a) => a.replace('p_user', 'p_who')) } : row,
    );
    expect(declared.flatMap((fn) => faultsOf(fn, changed))).toEqual([
      'room_join: no signature has p_tenant, p_room, p_user',
    ]);
  });

  describe('are called by their declaration alone', () => {
    /** Functions in SQL that nobody declares are there to be used in queries. */
    const called = (): string[] => [
      ...new Set([
        ...declared.map(({ name }) => name),
        ...catalogue.filter((row) => row.language === 'plpgsql').map(({ name }) => name),
      ]),
    ];

    it('a name in a string is noticed, but where it is declared', () => {
      const source = [
        "const a = schemaFunction('room_join', {}, x);",
        "database.call('room_update', []);",
        'const b = `SELECT * FROM dead_letters_page (${x})`;',
        "const c = 'room_delete is a name, room_access($1) is for queries';",
      ].join('\n');
      expect(namedIn(source, called())).toEqual(['room_update', 'dead_letters_page']);
    });

    it('in all sources', () => {
      const files = sourcesIn(join(ROOT, 'src')).filter((file) => !file.includes('/database/migrations/'));
      const found = files.flatMap((file) =>
        namedIn(readFileSync(join(ROOT, file), 'utf8'), called()).map((name) => `${file}: ${name}`),
      );
      expect(found.filter((use) => TOLERATED[use.split(':')[0] ?? ''] === undefined)).toEqual([]);
      expect(found).toHaveLength(Object.keys(TOLERATED).length);
    });
  });
});

/** In what a declaration differs from the catalogue. */
function faultsOf(fn: Declared, catalogue: readonly CatalogueRow[]): string[] {
  const sent = [
    ...(fn.isOfTenant ? [{ name: 'p_tenant', type: 'uuid', isOptional: false }] : []),
    ...fn.arguments.map((argument) => ({ ...argument, type: longName(argument.type) })),
  ];
  const names = sent.map(({ name }) => name);
  const ofName = catalogue.filter((row) => row.name === fn.name);
  if (ofName.length === 0) return [`${fn.name}: there is no such function`];
  const [row, other] = ofName.filter(
    (candidate) =>
      names.every((name) => candidate.arguments.includes(name)) &&
      candidate.arguments.slice(0, candidate.required).every((name) => names.includes(name)),
  );
  if (row === undefined) return [`${fn.name}: no signature has ${names.join(', ')}`];
  if (other !== undefined) return [`${fn.name}: two signatures fit`];
  const faults = sent.flatMap(({ name, type, isOptional }) => {
    const at = row.arguments.indexOf(name);
    if (row.types[at] !== type) return [`${name} is ${row.types[at] ?? ''}, not ${type}`];
    return isOptional && at >= row.required ? [`${name} has a default that NULL would be sent for`] : [];
  });
  const returns = row.isSet ? 'set' : row.returns;
  if (returns !== longName(fn.returns.type)) faults.push(`returns ${returns}, not ${fn.returns.type}`);
  else if (fn.returns.statuses !== undefined) faults.push(...statusFaults(row.source, fn.returns.statuses));
  if (!(fn.isOfTenant ? row.ofTenant : row.ofSystem))
    faults.push(`the ${fn.isOfTenant ? 'tenant' : 'system'} role may not call it`);
  return faults.map((fault) => `${fn.name}: ${fault}`);
}

function longName(type: string): string {
  return type === 'timestamptz' ? 'timestamp with time zone' : type;
}

/** Statuses that a source may answer with stand behind 'status', as literals or as the outcomes of a CASE. */
function statusFaults(source: string, statuses: readonly string[]): string[] {
  const said = [...source.matchAll(/'status',\s*(?:'(\w+)'|CASE\b([^]*?)\bEND\b|(\w+))/g)].flatMap(
    ([, literal, cases, other]) =>
      literal ??
      (cases === undefined
        ? [`?${other ?? ''}`]
        : [...cases.matchAll(/\b(?:THEN|ELSE)\s+'(\w+)'/g)].map((m) => m[1] ?? '')),
  );
  const [is, declared] = [said, statuses].map((list) => [...new Set(list)].sort().join(', '));
  return is === declared ? [] : [`says ${is ?? ''}; not ${declared ?? ''}`];
}

/** Functions that a source names in strings: as a whole, or with a parenthesis behind. */
function namedIn(source: string, functions: readonly string[]): string[] {
  const anyOf = functions.join('|');
  if (!new RegExp(`\\b(${anyOf})\\b`).test(source)) return [];
  const naming = new RegExp(`^(${anyOf})$|\\b(${anyOf})\\s*\\(`, 'g');
  const found: string[] = [];
  eachLiteral(source, (text, { parent }) => {
    if (ts.isCallExpression(parent) && /^(schema|system|erase)Function$/.test(parent.expression.getText())) return;
    for (const [, whole, called] of text.matchAll(naming)) found.push(whole ?? called ?? '');
  });
  return found;
}
