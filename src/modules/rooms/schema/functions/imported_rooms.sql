-- Which of these rooms imports have made and opened.
--
-- execute: tenant
CREATE FUNCTION imported_rooms(p_tenant uuid, p_rooms uuid[]) RETURNS TABLE (room_id uuid)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT i.room_id FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = ANY (p_rooms) AND i.is_done
$f$;
