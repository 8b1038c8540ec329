-- A room as clients get it, with where its log begins. jsonb would sort the keys of `metadata`: its text goes beside it.
--
-- execute: tenant
CREATE FUNCTION room_json(r rooms) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT to_jsonb(r) - 'tenant_id' - 'members_added' - 'deleted_at' - 'first_rev'
    || jsonb_build_object('metadata_text', r.metadata::text)
$f$;
