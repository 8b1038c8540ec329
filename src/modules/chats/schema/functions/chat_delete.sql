-- Answers that are under way are told to stop; what they have is not stored any more. status: ok · no_room
--
-- Locks: the room, its runs, the chat.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION chat_delete(p_tenant uuid, p_room uuid, p_by text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  UPDATE rooms r SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
  WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.state IN ('queued', 'streaming');
  UPDATE chats c SET deleted_at = clock_timestamp(), is_active = false
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  PERFORM room_log(p_tenant, p_room, room.last_rev, 'room.deleted',
    jsonb_build_array(jsonb_build_object('room_id', p_room, 'by', p_by)));
  RETURN jsonb_build_object('status', 'ok');
END $f$;
