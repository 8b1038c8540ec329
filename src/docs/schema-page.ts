import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { EmbeddedPostgres, migrate, readSchema, schemaForRoles } from '../platform/database';
import type { GeneratedPage } from './pages';

/** Under which the page shows the roles; an installation names them after its database. */
const SHOWN = {
  login: 'chatapi',
  tenant: 'chatapi_tenant',
  system: 'chatapi_system',
  append: 'chatapi_append',
  backup: 'chatapi_backup',
};
const HEAD = `-- The schema as a migrated database has it: each table with its constraints, indexes, triggers, policies and grants, then
-- the functions. Written by \`npm run docs\`; its source is the schema/ beside each module (docs/adr/0025).
`;

export const SCHEMA_PAGE: GeneratedPage = { path: 'docs/schema.sql', render: renderWithEmbedded };

/** Makes a database that is gone afterwards. */
async function renderWithEmbedded(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chatapi-docs-'));
  const postgres = new EmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
  try {
    await postgres.start();
    return await renderSchema(postgres.connection());
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** The page of this database, which is brought up to date. */
export async function renderSchema(connection: ClientConfig): Promise<string> {
  const roles = await migrate({ connection, allowUnsafe: true, onProgress: () => undefined });
  const client = new Client(connection);
  await client.connect();
  try {
    // PostgreSQL names everything in full then.
    await client.query('SET search_path = pg_catalog');
    const { before, after } = await readSchema(client, { ...roles, login: connection.user ?? '' });
    return (
      HEAD + sections([...before, ...after].map(({ sql, as }) => ({ sql: schemaForRoles(sql, SHOWN).trim(), as })))
    );
  } finally {
    await client.end();
  }
}

function sections(statements: readonly { readonly sql: string; readonly as: string }[]): string {
  const groups = new Map<string, string[]>();
  for (const { sql, as } of statements) {
    const place = placeOf(sql);
    groups.set(place, [...(groups.get(place) ?? []), shown(sql, as)]);
  }
  const inOrder = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return inOrder.map(([, texts]) => `\n${texts.join('\n')}\n`).join('');
}

/** What is neither a table's nor a function's comes first. */
function placeOf(sql: string): string {
  const [line = ''] = sql.split('\n', 1);
  const [, ofFunction] = /^(?:CREATE OR REPLACE|(?:REVOKE|GRANT) .*\bON) FUNCTION public\.(\w+)/.exec(line) ?? [];
  if (ofFunction !== undefined) return `3 ${ofFunction}`;
  const [, ofTable] = /\b(?:TABLE|ON) (?:TABLE )?public\.(\w+)/.exec(line) ?? [];
  return ofTable === undefined ? '1' : `2 ${ofTable}`;
}

/** A statement as a person reads it: a table's columns in lines of their own. */
function shown(sql: string, owner: string): string {
  const open = /^CREATE (?:UNLOGGED )?TABLE public\.\w+ \(/.exec(sql)?.[0];
  if (open === undefined) {
    const isOthers = owner !== 'login' && sql.startsWith('CREATE');
    return isOthers ? `-- Owned by chatapi_${owner}.\n${sql};` : `${sql};`;
  }
  const columns: string[] = [''];
  let depth = 1;
  let at = open.length;
  for (; depth > 0 && at < sql.length; at++) {
    const sign = sql[at] ?? '';
    depth += sign === '(' ? 1 : sign === ')' ? -1 : 0;
    if (depth === 1 && sign === ',') columns.push('');
    else if (depth > 0) columns.push(`${columns.pop() ?? ''}${sign}`);
  }
  return `${open}\n  ${columns.map((column) => column.trim()).join(',\n  ')}\n)${sql.slice(at)};`;
}
