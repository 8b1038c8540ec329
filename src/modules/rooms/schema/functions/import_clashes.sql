-- Which dms an import would make a second time, by their keys: the tenant has them, and they are none of the rooms that imports
-- have made of the same source. p_rooms: the ids that the import's dms may have.
--
-- execute: tenant
CREATE FUNCTION import_clashes(p_tenant uuid, p_keys text[], p_rooms uuid[]) RETURNS TABLE (unique_key text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT r.unique_key FROM rooms r WHERE r.tenant_id = p_tenant AND r.unique_key = ANY (p_keys)
    AND NOT (r.room_id = ANY (p_rooms) AND EXISTS (SELECT 1 FROM import_rooms i
      WHERE i.tenant_id = p_tenant AND i.room_id = r.room_id))
$f$;
