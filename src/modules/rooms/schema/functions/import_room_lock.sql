-- Locks a room that an import is making; false: the import makes no such room, or has finished it. What writes to a room under
-- construction begins here, so of two workers of one import the later one changes nothing.
--
-- Locks: the room.
--
-- execute: tenant
CREATE FUNCTION import_room_lock(p_tenant uuid, p_room uuid, p_import uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  RETURN FOUND AND EXISTS (SELECT 1 FROM import_rooms i
    WHERE i.tenant_id = p_tenant AND i.room_id = p_room AND i.import_id = p_import AND NOT i.is_done);
END $f$;
