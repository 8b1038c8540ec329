-- Pins a message in its room, or takes it off; what changes nothing has no revision. A room has 50 at most. Where the setting
-- `pin` is `admins`, they alone may; in a dm, which has none, both.
-- status: new · unchanged · admins · no_message · full
--
-- Locks: none beyond the caller's, who holds the room.
--
-- tables: rooms
-- execute: append, tenant
CREATE FUNCTION pin_set(
  p_room rooms, p_rev bigint, p_at timestamptz, p_message uuid, p_user text, p_role text, p_key text, p_on boolean
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  most CONSTANT integer := 50;
  msg record;
  old room_pins;
BEGIN
  IF p_room.settings->>'pin' = 'admins' AND p_role <> 'admin' AND p_room.type <> 'dm' THEN
    RETURN jsonb_build_object('status', 'admins');
  END IF;
  SELECT m.seq, m.deleted_at INTO msg FROM messages m WHERE m.tenant_id = p_room.tenant_id AND m.room_id = p_room.room_id
    AND m.message_id = p_message AND m.seq >= p_room.first_seq;
  IF msg.seq IS NULL OR (p_on AND msg.deleted_at IS NOT NULL) THEN
    RETURN jsonb_build_object('status', 'no_message');
  END IF;
  SELECT * INTO old FROM room_pins p
    WHERE p.tenant_id = p_room.tenant_id AND p.room_id = p_room.room_id AND p.seq = msg.seq;
  IF p_on = (old.pinned_at IS NOT NULL) THEN
    RETURN jsonb_build_object('status', 'unchanged', 'seq', msg.seq, 'rev', old.rev, 'pinned_at', old.pinned_at);
  END IF;
  IF p_on AND (SELECT count(*) FROM room_pins p WHERE p.tenant_id = p_room.tenant_id AND p.room_id = p_room.room_id
      AND p.pinned_at IS NOT NULL AND p.seq >= p_room.first_seq) >= most THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO room_pins (tenant_id, room_id, seq, message_id, rev, pinned_by, pinned_at)
  VALUES (p_room.tenant_id, p_room.room_id, msg.seq, p_message, p_rev, CASE WHEN p_on THEN p_user END,
    CASE WHEN p_on THEN p_at END)
  ON CONFLICT (tenant_id, room_id, seq) DO UPDATE
    SET rev = EXCLUDED.rev, pinned_by = EXCLUDED.pinned_by, pinned_at = EXCLUDED.pinned_at;
  RETURN jsonb_build_object('status', 'new', 'seq', msg.seq, 'rev', p_rev, 'pinned_at', CASE WHEN p_on THEN p_at END);
END $f$;
