-- Keys of p_change are set, those that it names with null are removed, new ones come last: the order of keys stays.
--
-- execute: tenant
CREATE FUNCTION json_merge(p_old json, p_change json) RETURNS json
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT COALESCE(json_object_agg(k.key, k.value ORDER BY k.part, k.n), '{}') FROM (
    SELECT o.key, o.value, 1 AS part, o.n FROM json_each(COALESCE(p_old, '{}')) WITH ORDINALITY o(key, value, n)
    WHERE NOT EXISTS (SELECT 1 FROM json_each(p_change) c WHERE c.key = o.key)
    UNION ALL
    SELECT c.key, c.value, CASE WHEN o.n IS NULL THEN 2 ELSE 1 END, COALESCE(o.n, c.n)
    FROM json_each(p_change) WITH ORDINALITY c(key, value, n)
    LEFT JOIN json_each(COALESCE(p_old, '{}')) WITH ORDINALITY o(key, value, n) ON o.key = c.key
    WHERE json_typeof(c.value) <> 'null') k
$f$;
