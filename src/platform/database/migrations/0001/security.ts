import { APPEND_GRANTS, SYSTEM_GRANTS, TENANT_TABLES } from './tables';

/** The NOLOGIN roles that all statements run as; named after the database, recorded in `instance`. */
export interface RoleNames {
  readonly tenant: string;
  readonly system: string;
  readonly append: string;
}

/**
 * Grants and policies. Forced row-level security on every tenant table; the tenant role sees app.tenant only, the
 * system role the listed tables, the append role what the append function touches. None is a member of another.
 */
export function securitySql(roles: RoleNames): string {
  const t = quote(roles.tenant);
  const s = quote(roles.system);
  const a = quote(roles.append);
  const lines: string[] = [`GRANT USAGE ON SCHEMA public TO ${t}, ${s}, ${a}`];
  for (const table of TENANT_TABLES) {
    lines.push(
      `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
      `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
      `CREATE POLICY tenant_rows ON ${table} TO ${t}
        USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)`,
      table === 'tenants'
        ? `GRANT SELECT, UPDATE ON tenants TO ${t}`
        : `GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${t}`,
    );
  }
  for (const [table, grants] of Object.entries(SYSTEM_GRANTS))
    lines.push(
      `GRANT ${grants} ON ${table} TO ${s}`,
      `CREATE POLICY system_rows ON ${table} TO ${s} USING (true) WITH CHECK (true)`,
    );
  for (const [table, grants] of Object.entries(APPEND_GRANTS))
    lines.push(
      `GRANT ${grants} ON ${table} TO ${a}`,
      `CREATE POLICY append_rows ON ${table} TO ${a} USING (true) WITH CHECK (true)`,
    );
  lines.push(
    `GRANT SELECT ON instance TO ${t}`,
    `GRANT SELECT, UPDATE ON instance TO ${s}`,
    `REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO ${t}`,
    `REVOKE ALL ON FUNCTION append_messages, append_lookup, log_analyze FROM ${t}`,
    `GRANT EXECUTE ON FUNCTION append_messages, append_lookup, log_analyze TO ${s}`,
    `GRANT CREATE ON SCHEMA public TO ${a}`,
    `ALTER FUNCTION append_messages OWNER TO ${a}`,
    `ALTER FUNCTION append_lookup OWNER TO ${a}`,
    `REVOKE CREATE ON SCHEMA public FROM ${a}`,
  );
  return lines.join(';\n');
}

/** Quotes an SQL identifier. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
