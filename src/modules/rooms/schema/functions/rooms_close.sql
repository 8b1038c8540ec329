-- Marks rooms of a tenant as deleted, of a page in the order of their ids behind p_after: the append and every change of a room
-- decide under its lock, so nothing comes into one from then on. Tells nobody. Returns the last room of the page; null: there
-- is none.
--
-- Locks: the rooms, in the order of their ids.
--
-- execute: tenant
CREATE FUNCTION rooms_close(p_tenant uuid, p_after uuid, p_limit integer) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  page uuid[];
BEGIN
  page := ARRAY(SELECT r.room_id FROM rooms r WHERE r.tenant_id = p_tenant AND (p_after IS NULL OR r.room_id > p_after)
    ORDER BY r.room_id LIMIT p_limit);
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = ANY (page) AND r.deleted_at IS NULL
  ORDER BY r.room_id FOR NO KEY UPDATE;
  UPDATE rooms r SET deleted_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (page) AND r.deleted_at IS NULL;
  RETURN page[array_upper(page, 1)];
END $f$;
