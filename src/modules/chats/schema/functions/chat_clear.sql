-- What was said before is no context of later answers. status: ok · no_room
--
-- Locks: the room, the chat.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION chat_clear(p_tenant uuid, p_room uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  UPDATE chats c SET cleared_seq = room.last_seq WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok');
END $f$;
