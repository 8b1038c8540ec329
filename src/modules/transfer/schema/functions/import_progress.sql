-- Adds what a transaction has made to the counts of a running import. False: it runs no more, and the transaction is to be taken
-- back. p_counts: numbers by kinds of lines.
--
-- Locks: the import; behind all that the transaction makes.
--
-- execute: tenant
CREATE FUNCTION import_progress(p_tenant uuid, p_import uuid, p_counts jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  UPDATE imports i SET counts = i.counts || (SELECT COALESCE(jsonb_object_agg(n.key,
      COALESCE((i.counts->>n.key)::bigint, 0) + n.value::bigint), '{}') FROM jsonb_each_text(p_counts) n)
  WHERE i.tenant_id = p_tenant AND i.import_id = p_import AND i.state = 'running';
  RETURN FOUND;
END $f$;
