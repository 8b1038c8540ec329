-- Marks a room as deleted; its letters go. `audit`: for audit_result. status: ok · no_room · forbidden
--
-- Locks: the room, its letters.
--
-- tables: dead_letters
-- execute: tenant
CREATE FUNCTION room_delete(p_tenant uuid, p_room uuid, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room.type IN ('dm', 'ai') OR room_role(p_tenant, p_room, p_user) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  UPDATE rooms r SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  DELETE FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.room_id = p_room;
  PERFORM room_log(p_tenant, p_room, room.last_rev, 'room.deleted',
    jsonb_build_array(jsonb_build_object('room_id', p_room, 'by', p_user)));
  RETURN jsonb_build_object('status', 'ok', 'audit', jsonb_build_object());
END $f$;
