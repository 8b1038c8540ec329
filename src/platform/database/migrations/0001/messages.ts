/**
 * Edits and deletes of messages: one call each, so that no room row is held across a round trip. The room is locked
 * first; what is decided is read after the lock. Each returns jsonb `{status, message?}`;
 * status: ok · unchanged · no_room · no_message · forbidden.
 */
export const MESSAGE_FUNCTIONS = `
CREATE FUNCTION room_lock(p_tenant uuid, p_room uuid) RETURNS rooms
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  SELECT * FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL FOR NO KEY UPDATE
$f$;

CREATE FUNCTION room_role(p_tenant uuid, p_room uuid, p_user text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT m.role FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
$f$;

CREATE FUNCTION message_json(m messages) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('message_id', m.message_id, 'room_id', m.room_id, 'seq', m.seq, 'rev', m.rev,
    'sender_id', m.sender_id, 'content', m.content, 'meta', m.meta::text, 'client_message_id', m.client_message_id,
    'created_at', m.created_at, 'edited_at', m.edited_at, 'deleted_at', m.deleted_at)
$f$;

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
  IF msg.seq IS NULL OR msg.deleted_at IS NOT NULL THEN RETURN jsonb_build_object('status', 'no_message'); END IF;
  IF msg.sender_id <> p_user THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  UPDATE rooms r SET last_rev = r.last_rev + 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE messages m SET content = COALESCE(p_content, m.content), meta = COALESCE(p_meta::json, m.meta),
    edited_at = clock_timestamp(), rev = room.last_rev + 1
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = msg.seq RETURNING * INTO msg;
  RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg));
END $f$;

CREATE FUNCTION message_delete(p_tenant uuid, p_room uuid, p_message uuid, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  msg messages;
  role text;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  role := room_role(p_tenant, p_room, p_user);
  IF role IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  SELECT * INTO msg FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.message_id = p_message;
  IF msg.seq IS NULL THEN RETURN jsonb_build_object('status', 'no_message'); END IF;
  IF msg.sender_id <> p_user AND role <> 'admin' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  IF msg.deleted_at IS NOT NULL THEN
    RETURN jsonb_build_object('status', 'unchanged', 'message', message_json(msg));
  END IF;
  UPDATE rooms r SET last_rev = r.last_rev + 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE messages m SET content = '', meta = NULL, deleted_at = clock_timestamp(), rev = room.last_rev + 1
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = msg.seq RETURNING * INTO msg;
  RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg));
END $f$;

-- Moves a member's cursors forward, never back. status: ok · no_room · not_member · beyond
CREATE FUNCTION cursor_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  newest bigint;
  since bigint;
BEGIN
  SELECT r.last_seq INTO newest FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL;
  IF newest IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT m.joined_seq INTO since FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user;
  IF since IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  IF p_seq > newest THEN RETURN jsonb_build_object('status', 'beyond', 'last_seq', newest); END IF;
  INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq, read_seq)
  VALUES (p_tenant, p_room, p_user, GREATEST(p_seq, since), CASE WHEN p_read THEN GREATEST(p_seq, since) ELSE since END)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE
    SET acked_seq = GREATEST(c.acked_seq, EXCLUDED.acked_seq), read_seq = GREATEST(c.read_seq, EXCLUDED.read_seq),
      updated_at = clock_timestamp()
    WHERE EXCLUDED.acked_seq > c.acked_seq OR EXCLUDED.read_seq > c.read_seq;
  RETURN jsonb_build_object('status', 'ok', 'advanced', FOUND);
END $f$;
`;
