-- A room, locked for a change: every change of a room begins here and decides afterwards, in statements that see what was
-- committed before the lock (docs/adr/0005). All null: there is no such room.
--
-- Locks: the room. Others come behind it: members, users, cursors, letters, messages, runs.
--
-- execute: tenant
CREATE FUNCTION room_lock(p_tenant uuid, p_room uuid) RETURNS rooms
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  SELECT * FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL FOR NO KEY UPDATE
$f$;
