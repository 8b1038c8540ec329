-- Deletes the messages before p_first_seq, so that the log begins there (at most right after the last one), and tells
-- it as a change. A large deletion is made in steps: the room is locked meanwhile. status: ok · unchanged · no_room
--
-- Locks: the room, its messages.
--
-- tables: message_versions, messages
-- execute: tenant
CREATE FUNCTION room_trim(p_tenant uuid, p_room uuid, p_first_seq bigint)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  first bigint;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF LEAST(p_first_seq, room.last_seq + 1) <= room.first_seq THEN
    RETURN jsonb_build_object('status', 'unchanged', 'first_seq', room.first_seq);
  END IF;
  first := room.first_seq;
  UPDATE rooms r SET first_seq = LEAST(p_first_seq, r.last_seq + 1), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  DELETE FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq < room.first_seq;
  IF room.has_states THEN
    PERFORM message_states_drop(p_tenant, p_room, ARRAY(SELECT s FROM generate_series(first, room.first_seq - 1) s));
  END IF;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = p_room AND v.seq < room.first_seq;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.trimmed',
    jsonb_build_array(jsonb_build_object('first_seq', room.first_seq)));
  RETURN jsonb_build_object('status', 'ok', 'first_seq', room.first_seq, 'rev', room.last_rev);
END $f$;
