-- What the catalogue says of the schema, as statements that make it again: what pg_dump does, for the kinds of objects
-- that our migrations make. $1: keys of roles; $2: their names. The search path is empty.
-- place: order, below 0 before the rows, above 0 behind them. kind 'unknown': an object of which there is no statement.
WITH
  roles AS (
    SELECT k.key, r.oid FROM unnest($1::text[], $2::text[]) AS k (key, name) JOIN pg_roles r ON r.rolname = k.name),
  members AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
  own AS (
    SELECT c.*, r.key, format('public.%I', c.relname) AS full_name FROM pg_class c JOIN roles r ON r.oid = c.relowner
    WHERE c.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM members m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)),
  tables AS (SELECT * FROM own WHERE relkind = 'r'),
  functions AS (
    SELECT p.*, r.key, format('FUNCTION public.%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) AS full_name
    FROM pg_proc p JOIN roles r ON r.oid = p.proowner
    WHERE p.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM members m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)),
  -- Sequences that belong to an identity column come with it.
  sequences AS (
    SELECT o.key, o.full_name, o.relname, q.*, d.refobjid AS table_oid, d.refobjsubid AS column_no, d.deptype,
      format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s %s', q.seqstart, q.seqincrement, q.seqmin,
        q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS settings
    FROM own o JOIN pg_sequence q ON q.seqrelid = o.oid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = o.oid
      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    WHERE o.relkind = 'S'),
  columns AS (
    SELECT a.attrelid, a.attnum, a.attname, a.attgenerated, format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
      || CASE WHEN a.attcollation <> t.typcollation
           THEN (SELECT format(' COLLATE %I.%I', n.nspname, l.collname) FROM pg_collation l
             JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = a.attcollation) ELSE '' END
      || CASE WHEN a.attidentity <> ''
           THEN format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)',
             CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, s.full_name, s.settings)
         WHEN a.attgenerated <> ''
           THEN format(' GENERATED ALWAYS AS (%s) %s', pg_get_expr(e.adbin, e.adrelid),
             CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)
         WHEN e.adbin IS NOT NULL THEN format(' DEFAULT %s', pg_get_expr(e.adbin, e.adrelid)) ELSE '' END
      || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS definition,
      concat_ws('; ',
        CASE WHEN a.attstattarget >= 0 THEN format('SET STATISTICS %s', a.attstattarget) END,
        CASE WHEN a.attoptions IS NOT NULL THEN format('SET (%s)', array_to_string(a.attoptions, ', ')) END,
        CASE WHEN a.attstorage <> t.typstorage THEN format('SET STORAGE %s',
          CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END) END,
        CASE WHEN a.attcompression <> '' THEN format('SET COMPRESSION %s',
          CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END) END) AS settings
    FROM pg_attribute a JOIN tables o ON o.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
    LEFT JOIN sequences s ON s.table_oid = a.attrelid AND s.column_no = a.attnum AND s.deptype = 'i'
    WHERE a.attnum > 0 AND NOT a.attisdropped),
  -- Which role may do what with what: every entry of an access list but the owner's own.
  rights AS (
    SELECT key, 'TABLE ' || full_name AS what, relacl AS acl, relowner AS owner, NULL AS column_name FROM tables
    UNION ALL SELECT key, 'SEQUENCE ' || full_name, relacl, relowner, NULL FROM own WHERE relkind = 'S'
    UNION ALL SELECT key, full_name, proacl, proowner, NULL FROM functions
    UNION ALL SELECT 'login', 'SCHEMA public', nspacl, nspowner, NULL FROM pg_namespace WHERE nspname = 'public'
    UNION ALL SELECT o.key, 'TABLE ' || o.full_name, a.attacl, o.relowner, a.attname
      FROM tables o JOIN pg_attribute a ON a.attrelid = o.oid WHERE a.attacl IS NOT NULL),
  grants AS (
    SELECT t.key, t.what, t.column_name, x.grantee, x.is_grantable, x.privilege_type
    FROM rights t CROSS JOIN LATERAL aclexplode(t.acl) x WHERE x.grantee <> t.owner)
SELECT place, kind, name, owner, sql, roles, tail, columns FROM (
  SELECT -70 AS place, 'other' AS kind, e.extname::text AS name, 'login' AS owner,
    format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I', e.extname, n.nspname) AS sql, NULL::text[] AS roles,
    '' AS tail, NULL::text[] AS columns
  FROM pg_extension e JOIN roles r ON r.oid = e.extowner JOIN pg_namespace n ON n.oid = e.extnamespace
  UNION ALL
  SELECT -60, 'sequence', relname, key,
    CASE WHEN deptype IS DISTINCT FROM 'i' THEN format('CREATE SEQUENCE %s AS %s %s', full_name, format_type(seqtypid, NULL), settings)
      ELSE '' END, NULL, '', NULL
  FROM sequences
  UNION ALL
  -- A function that names a table's row type comes behind the table.
  SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_depend d LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND (d.refclassid = 'pg_class'::regclass OR t.typrelid <> 0
        OR EXISTS (SELECT 1 FROM pg_type e WHERE e.oid = t.typelem AND e.typrelid <> 0)))
    THEN -30 ELSE -50 END, 'other', proname, key, pg_get_functiondef(oid), NULL, '', NULL
  FROM functions p
  UNION ALL
  SELECT -40, 'table', o.relname, o.key,
    format('CREATE %sTABLE %s (%s)%s', CASE o.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, o.full_name,
      (SELECT string_agg(definition, ', ' ORDER BY attnum) FROM columns c WHERE c.attrelid = o.oid),
      (SELECT ' WITH (' || string_agg(format('%s=%L', x.name, x.value), ', ') || ')' FROM (
        SELECT split_part(v, '=', 1) AS name, substr(v, strpos(v, '=') + 1) AS value FROM unnest(o.reloptions) v
        UNION ALL SELECT 'toast.' || split_part(v, '=', 1), substr(v, strpos(v, '=') + 1)
          FROM pg_class i CROSS JOIN unnest(i.reloptions) v WHERE i.oid = o.reltoastrelid) x)), NULL, '',
    (SELECT array_agg(attname::text ORDER BY attnum) FROM columns c WHERE c.attrelid = o.oid AND c.attgenerated = '')
  FROM tables o
  UNION ALL
  SELECT -35, 'other', s.relname, s.key, format('ALTER SEQUENCE %s OWNED BY %s.%I', s.full_name, o.full_name, a.attname), NULL, '', NULL
  FROM sequences s JOIN own o ON o.oid = s.table_oid JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = s.column_no
  WHERE s.deptype = 'a'
  UNION ALL
  SELECT CASE k.contype WHEN 'f' THEN 40 WHEN 'c' THEN 30 ELSE 10 END, 'other', k.conname, o.key,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', o.full_name, k.conname, pg_get_constraintdef(k.oid)), NULL, '', NULL
  FROM pg_constraint k JOIN tables o ON o.oid = k.conrelid WHERE k.contype IN ('p', 'u', 'x', 'c', 'f')
  UNION ALL
  SELECT 20, 'other', i.relname, o.key, pg_get_indexdef(x.indexrelid), NULL, '', NULL
  FROM pg_index x JOIN tables o ON o.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE x.indisvalid AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
  UNION ALL
  SELECT 35, 'other', o.relname || '.' || c.attname, o.key,
    format('ALTER TABLE %s ALTER COLUMN %I %s', o.full_name, c.attname, s), NULL, '', NULL
  FROM columns c JOIN tables o ON o.oid = c.attrelid CROSS JOIN string_to_table(c.settings, '; ') s WHERE c.settings <> ''
  UNION ALL
  SELECT 35, 'other', e.stxname, r.key, pg_get_statisticsobjdef(e.oid), NULL, '', NULL
  FROM pg_statistic_ext e JOIN roles r ON r.oid = e.stxowner WHERE e.stxnamespace = 'public'::regnamespace
  UNION ALL
  SELECT 60, 'other', g.tgname, o.key, pg_get_triggerdef(g.oid), NULL, '', NULL
  FROM pg_trigger g JOIN tables o ON o.oid = g.tgrelid WHERE NOT g.tgisinternal
  UNION ALL
  SELECT 65, 'other', g.tgname, o.key, format('ALTER TABLE %s %s TRIGGER %I', o.full_name,
    CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, g.tgname), NULL, '', NULL
  FROM pg_trigger g JOIN tables o ON o.oid = g.tgrelid WHERE NOT g.tgisinternal AND g.tgenabled <> 'O'
  UNION ALL
  SELECT 70, 'other', o.relname, o.key, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY%s', o.full_name,
    CASE WHEN o.relforcerowsecurity THEN ', FORCE ROW LEVEL SECURITY' ELSE '' END), NULL, '', NULL
  FROM tables o WHERE o.relrowsecurity
  UNION ALL
  SELECT 75, 'other', o.relname || '.' || p.polname, o.key, format('CREATE POLICY %I ON %s AS %s FOR %s TO ', p.polname, o.full_name,
      CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
      CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END),
    (SELECT array_agg(COALESCE(r.key, '') ORDER BY r.key) FROM unnest(p.polroles) g LEFT JOIN roles r ON r.oid = g
      WHERE g = 0 OR r.oid IS NOT NULL),
    COALESCE(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
      || COALESCE(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''), NULL
  FROM pg_policy p JOIN tables o ON o.oid = p.polrelid
  WHERE EXISTS (SELECT 1 FROM unnest(p.polroles) g LEFT JOIN roles r ON r.oid = g WHERE g = 0 OR r.oid IS NOT NULL)
  UNION ALL
  SELECT 80, 'other', what, key, format('REVOKE ALL ON %s FROM PUBLIC', what), NULL, '', NULL
  FROM rights WHERE acl IS NOT NULL AND column_name IS NULL AND what <> 'SCHEMA public'
  UNION ALL
  SELECT 85, 'other', g.what, g.key, format('GRANT %s ON %s TO ',
      string_agg(DISTINCT g.privilege_type || COALESCE(' (' || quote_ident(g.column_name) || ')', ''), ', '), g.what),
    ARRAY[COALESCE(r.key, '')], CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, NULL
  FROM grants g LEFT JOIN roles r ON r.oid = g.grantee WHERE g.grantee = 0 OR r.oid IS NOT NULL
  GROUP BY g.what, g.key, r.key, g.is_grantable
  UNION ALL
  SELECT -99, 'unknown', what, 'login', '', NULL, '', NULL FROM (
    SELECT CASE relkind WHEN 'v' THEN 'the view' WHEN 'm' THEN 'the materialized view' WHEN 'f' THEN 'the foreign table'
      WHEN 'c' THEN 'the type' ELSE 'the partitioned table' END || ' ' || relname AS what
    FROM own WHERE relkind IN ('v', 'm', 'f', 'c', 'p') OR relkind = 'r' AND relispartition
    UNION ALL
    SELECT 'the inherited table ' || o.relname FROM pg_inherits i JOIN tables o ON o.oid = i.inhrelid
    UNION ALL
    SELECT 'the type ' || t.typname FROM pg_type t JOIN roles r ON r.oid = t.typowner
    WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('d', 'e', 'r')
      AND NOT EXISTS (SELECT 1 FROM members m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
    UNION ALL
    SELECT 'the aggregate ' || proname FROM functions WHERE prokind = 'a'
    UNION ALL
    SELECT 'the rule ' || w.rulename FROM pg_rewrite w JOIN tables o ON o.oid = w.ev_class
  ) unknown
) all_objects (place, kind, name, owner, sql, roles, tail, columns)
ORDER BY place, name COLLATE "C", sql COLLATE "C", roles::text COLLATE "C"
