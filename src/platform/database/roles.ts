import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { DatabaseRefusal } from './errors';

/** The NOLOGIN roles of an installation, as which all statements run; named after the database, recorded in `instance`. */
export interface RoleNames {
  /** Sees the rows of the tenant in app.tenant. */
  readonly tenant: string;
  /** Sees the rows of all tenants, in the tables that it is granted. */
  readonly system: string;
  /** Owns the append functions, and touches what they touch. */
  readonly append: string;
  /** Reads everything, for backups, and can do nothing else. */
  readonly backup: string;
}

const MAX_PREFIX = 50;

/** Role names are cluster-wide and at most 63 bytes: the database's name, shortened with a hash when it is long. */
export function rolePrefix(database: string): string {
  if (Buffer.byteLength(database) <= MAX_PREFIX) return database;
  return `chatapi_${createHash('sha256').update(database).digest('hex').slice(0, 16)}`;
}

export function roleNames(prefix: string): RoleNames {
  return {
    tenant: `${prefix}_tenant`,
    system: `${prefix}_system`,
    append: `${prefix}_append`,
    backup: `${prefix}_backup`,
  };
}

/**
 * Makes the NOLOGIN roles that statements run as, or says which SQL an administrator has to run. The login role may
 * switch to them but does not inherit them, where PostgreSQL (16+) can say so.
 */
export async function ensureRoles(client: Client, prefix: string, majorVersion: number): Promise<void> {
  const names = Object.values(roleNames(prefix)) as string[];
  const { rows } = await client.query<{ login: string; rolcreaterole: boolean; present: string[]; usable: string[] }>(
    `SELECT current_user AS login, u.rolcreaterole,
       ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = ANY ($1)) AS present,
       ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = ANY ($1)
         AND pg_has_role(current_user, r.oid, $2)) AS usable
     FROM pg_roles u WHERE u.rolname = current_user`,
    [names, majorVersion >= 16 ? 'SET' : 'MEMBER'],
  );
  const state = rows[0];
  if (!state) throw new DatabaseRefusal('The database role that the server logs in with is not in pg_roles');
  const how = majorVersion >= 16 ? ' WITH INHERIT FALSE, SET TRUE' : '';
  const needed = names
    .filter((name) => !state.usable.includes(name))
    .flatMap((name) => [
      ...(state.present.includes(name) ? [] : [`CREATE ROLE ${quote(name)} NOLOGIN`]),
      `GRANT ${quote(name)} TO ${quote(state.login)}${how}`,
    ]);
  if (needed.length === 0) return;
  if (!state.rolcreaterole)
    throw new DatabaseRefusal(
      `The database role "${state.login}" may not create roles. Let an administrator run:\n  ${needed.join(';\n  ')};`,
    );
  for (const sql of needed) await client.query(sql);
}

/** Quotes an SQL identifier. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
