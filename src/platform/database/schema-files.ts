import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote, type RoleNames } from './roles';

/**
 * The schema's source: `schema/tables.sql` and `schema/functions/<function>.sql` beside each module, and the numbered
 * migrations here (docs/adr/0025). The build copies them, so they are read from dist as from src.
 *
 * The files are psql's SQL: roles stand in them as `:"tenant"`, `:"system"`, `:"append"`, `:"backup"`, and `:own_rows` is
 * what a policy of the tenant role lets through.
 */
const ROOT = join(__dirname, '..', '..');
/** Folders whose subfolders may have a `schema/`. */
const FLOORS = ['platform', 'modules'];
const MIGRATIONS = join(__dirname, 'migrations');

const OWN_ROWS = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
const FUNCTION = /^CREATE FUNCTION (\w+)\s*\(([^]*?)\)\s*RETURNS\b[^]*?\bAS \$f\$[^]*?\$f\$;/m;
const TRIGGERS = /^(?:\s*CREATE (?:CONSTRAINT )?TRIGGER\b[^;]*;)*\s*$/;
const KEPT = /^(\w+\(.*\)) for releases before (\d\S*)$/;
const MIN_RELEASE = /^-- needs release: (\S+)$/m;

type RoleKey = keyof RoleNames;

/** One function, with its triggers, as its file has them; roles are placeholders. */
export interface FunctionFile {
  /** `name(type,…)`, as PostgreSQL writes it. */
  readonly signature: string;
  /** undefined: the login role, like the tables. */
  readonly owner: RoleKey | undefined;
  /** The roles that may call it; no others may. */
  readonly execute: readonly RoleKey[];
  /** The tables of other modules that it touches. */
  readonly tables: readonly string[];
  /** Signatures that it had, which stay while a release older than `before` may run (`instance.min_release`). */
  readonly kept: readonly { readonly signature: string; readonly before: string }[];
  /** CREATE FUNCTION …; */
  readonly create: string;
  /** CREATE TRIGGER …; all that call it, or ''. */
  readonly triggers: string;
  /** Of the whole file. */
  readonly hash: string;
}

export interface Migration {
  /** As `schema_migrations` has it. */
  readonly name: string;
  readonly sql: string;
  /** The oldest release that runs on the schema since it. undefined: the oldest that may run beside its own. */
  readonly minRelease?: string;
}

export interface SchemaFiles {
  /** In an order in which each finds the tables that it refers to. */
  readonly tables: readonly string[];
  readonly functions: readonly FunctionFile[];
  /** Oldest first. */
  readonly migrations: readonly Migration[];
}

/** What was recorded up to schema 0016, from which these files lead on; a database has all of them, or none. */
export const FIRST_MIGRATIONS: readonly string[] = [
  'Foundation1763600000000',
  'AppendCost1763683200000',
  'RoomsOfAUser1763769600000',
  'WsTickets1763856000000',
  'LastSeen1763942400000',
  'Sync1764028800000',
  'DeadLetters1764115200000',
  'JobsWorker1764201600000',
  'Notifications1764288000000',
  'SmallBatches1764374400000',
  'Webhooks1764547200000',
  'Models1764633600000',
  'Chats1764720000000',
  'FirstSocket1764806400000',
  'Restores1764892800000',
];

/** Reads all files; throws where one is not as the others are. */
export function readSchemaFiles(): SchemaFiles {
  const folders = FLOORS.flatMap((floor) =>
    namesIn(join(ROOT, floor)).map((name) => join(ROOT, floor, name, 'schema')),
  );
  const tables = folders.map((folder) => join(folder, 'tables.sql')).filter((file) => existsSync(file));
  const functions = folders.flatMap((folder) => filesIn(join(folder, 'functions')));
  return {
    tables: byReference(tables.map(readSql)),
    functions: functions.map((file) => parseFunction(file, readSql(file))),
    migrations: filesIn(MIGRATIONS).map((file) => parseMigration(file, readSql(file))),
  };
}

/** @param file its path; its last part is the function's name */
export function parseFunction(file: string, text: string): FunctionFile {
  const match = FUNCTION.exec(text);
  const fail = (why: string): never => {
    throw new Error(`${file}: ${why}`);
  };
  if (match === null) return fail('holds no function with its text in $f$ … $f$;');
  const [create, name = '', parameters = ''] = match;
  if (nameOf(file) !== name) return fail(`makes the function ${name}`);
  const head = text.slice(0, match.index);
  const rest = text.slice(match.index + create.length);
  if (/^(?!--|$)/m.test(head)) return fail('has a statement before its function');
  if (!TRIGGERS.test(rest)) return fail('holds more than its function and triggers that call it');
  const lines = (key: string): string[] =>
    [...head.matchAll(new RegExp(`^-- ${key}: (.+)$`, 'gm'))].map(([, said = '']) => said);
  const list = (key: string): string[] => lines(key).flatMap((said) => said.split(', '));
  const role = (said: string): RoleKey => (isRole(said) ? said : fail(`names the role ${said}, which there is not`));
  const execute = list('execute').map(role);
  if (execute.length === 0) return fail('does not say who may execute it');
  return {
    signature: `${name}(${parameters.split(',').map(typeOf).join(',')})`,
    owner: list('owner').map(role)[0],
    execute,
    tables: list('tables'),
    kept: lines('keeps').map((said) => {
      const [, signature, before] = KEPT.exec(said) ?? [];
      return signature === undefined || before === undefined
        ? fail(`does not say for whom it keeps ${said}`)
        : { signature, before };
    }),
    create,
    triggers: rest.trim(),
    hash: createHash('sha256').update(text).digest('hex'),
  };
}

/** The SQL of a file for an installation with these roles. */
export function withRoles(sql: string, roles: RoleNames): string {
  return sql
    .replace(/:"(\w+)"/g, (_, key: string) => {
      if (!isRole(key)) throw new Error(`The schema names the role ${key}, which there is not`);
      return quote(roles[key]);
    })
    .replace(/:own_rows\b/g, OWN_ROWS);
}

export function parseMigration(file: string, sql: string): Migration {
  const minRelease = MIN_RELEASE.exec(sql)?.[1];
  return {
    name: /^-- recorded as: (\w+)$/m.exec(sql)?.[1] ?? nameOf(file),
    sql,
    ...(minRelease === undefined ? {} : { minRelease }),
  };
}

/** Behind those that they refer to. */
function byReference(texts: readonly string[]): string[] {
  const maker = new Map(
    texts.flatMap((text) => found(text, /\bCREATE (?:UNLOGGED )?TABLE (\w+)/g).map((t) => [t, text])),
  );
  const ordered = new Set<string>();
  const place = (text: string): void => {
    for (const table of found(text, /\bREFERENCES (\w+)/g)) {
      const other = maker.get(table);
      if (other !== undefined && other !== text && !ordered.has(other)) place(other);
    }
    ordered.add(text);
  };
  texts.forEach(place);
  return [...ordered];
}

/** `p_limit integer DEFAULT 5` → `integer`, in the words of PostgreSQL. */
function typeOf(parameter: string): string {
  const type = parameter
    .trim()
    .replace(/^\w+\s+/, '')
    .replace(/\s+DEFAULT\b[^]*$/, '');
  return type.replace(/^timestamptz\b/, 'timestamp with time zone');
}

function isRole(said: string): said is RoleKey {
  return ['tenant', 'system', 'append', 'backup'].includes(said);
}

function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function filesIn(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => join(folder, name));
}

function nameOf(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.sql$/, '');
}

/** The text of an SQL file, whatever an editor or Git made of the ends of its lines: a hash must not depend on it. */
export function readSql(file: string): string {
  return readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
}
