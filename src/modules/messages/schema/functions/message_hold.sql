-- Keeps a message as it is before it is changed, where its room or its sender is held; with it what is kept of what it said before. The
-- caller holds the room.
--
-- tables: rooms, users
-- execute: tenant
CREATE FUNCTION message_hold(p_room rooms, p_message messages) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  IF p_room.legal_hold OR (SELECT u.legal_hold FROM users u
    WHERE u.tenant_id = p_room.tenant_id AND u.user_id = p_message.sender_id) THEN
    INSERT INTO held_messages (tenant_id, room_id, seq, rev, sender_id, content, meta)
    VALUES (p_room.tenant_id, p_room.room_id, p_message.seq, p_message.rev, p_message.sender_id, p_message.content,
      p_message.meta);
    INSERT INTO held_messages (tenant_id, room_id, seq, rev, sender_id, content, meta)
    SELECT v.tenant_id, v.room_id, v.seq, v.rev, p_message.sender_id, v.content, v.meta FROM message_versions v
    WHERE v.tenant_id = p_room.tenant_id AND v.room_id = p_room.room_id AND v.seq = p_message.seq
    ON CONFLICT DO NOTHING;
  END IF;
END $f$;
