-- What lets the backup role read every table and sequence that the login role owns, as statements: one a row, none where
-- nothing is missing. $1: the backup role. The owner itself sees no row of a tenant.
WITH mine AS (
  SELECT format('public.%I', c.relname) AS name, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
    NOT has_table_privilege($1, c.oid, 'SELECT') AS is_closed,
    c.relrowsecurity AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'backup_rows')
      AS is_hidden
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S')
    AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user))
SELECT format('GRANT SELECT ON %s %s TO %I', kind, name, $1) AS statement FROM mine WHERE is_closed
UNION ALL
SELECT format('CREATE POLICY backup_rows ON %s FOR SELECT TO %I USING (true)', name, $1) FROM mine WHERE is_hidden
