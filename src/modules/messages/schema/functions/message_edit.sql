-- Under a legal hold the message is kept as it was (message_hold), and so it is for all in tenants that keep versions. What the room
-- keeps no more is no message.
-- status: ok · no_room · no_message · forbidden
--
-- Locks: the room, the message.
--
-- tables: rooms, tenants
-- execute: tenant
CREATE FUNCTION message_edit(
  p_tenant uuid, p_room uuid, p_message uuid, p_user text, p_content text, p_meta text
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  msg messages;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_user) IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  SELECT * INTO msg FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.message_id = p_message;
  IF msg.seq IS NULL OR msg.seq < room.first_seq OR msg.deleted_at IS NOT NULL THEN
    RETURN jsonb_build_object('status', 'no_message');
  END IF;
  IF msg.sender_id <> p_user THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  PERFORM message_hold(room, msg);
  IF (SELECT t.settings->>'message_history' = 'on' FROM tenants t WHERE t.tenant_id = p_tenant) THEN
    INSERT INTO message_versions (tenant_id, room_id, seq, rev, content, meta, said_at)
    VALUES (p_tenant, p_room, msg.seq, msg.rev, msg.content, msg.meta, COALESCE(msg.edited_at, msg.created_at))
    ON CONFLICT DO NOTHING;
  END IF;
  UPDATE rooms r SET last_rev = r.last_rev + 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE messages m SET content = COALESCE(p_content, m.content), meta = COALESCE(p_meta::json, m.meta),
    edited_at = clock_timestamp(), rev = room.last_rev + 1
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = msg.seq RETURNING * INTO msg;
  RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg));
END $f$;
