-- p_only_auto: only while the title is one that was made. status: ok · no_room · too_large · kept
--
-- Locks: the room, the chat.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION chat_update(
  p_tenant uuid, p_room uuid, p_title text, p_metadata json, p_max_bytes integer, p_only_auto boolean
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  merged json;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF p_only_auto AND NOT (SELECT c.auto_title FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = p_room) THEN
    RETURN jsonb_build_object('status', 'kept');
  END IF;
  merged := CASE WHEN p_metadata IS NULL THEN room.metadata ELSE json_merge(room.metadata, p_metadata) END;
  IF p_metadata IS NOT NULL AND json_bytes(merged::jsonb) > p_max_bytes THEN
    RETURN jsonb_build_object('status', 'too_large');
  END IF;
  UPDATE rooms r SET name = COALESCE(p_title, r.name), metadata = merged, last_rev = r.last_rev + 1,
    updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF p_title IS NOT NULL THEN
    UPDATE chats c SET auto_title = false WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  END IF;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'chat', chat_json(p_tenant, p_room));
END $f$;
