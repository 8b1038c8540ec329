-- Statistics for cursors that have outgrown the ones they have: a plan made on an empty table looks at every cursor for
-- each, and autovacuum comes only after a minute. By the size of the table, which costs nothing to ask. Only its owner may
-- renew them.
--
-- execute: system
CREATE FUNCTION cursors_analyze() RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
BEGIN
  IF (SELECT pg_relation_size(c.oid) / current_setting('block_size')::integer <= GREATEST(2 * c.relpages, 8)
      FROM pg_class c WHERE c.oid = 'public.cursors'::regclass) THEN
    RETURN false;
  END IF;
  ANALYZE cursors;
  RETURN true;
END $f$;
