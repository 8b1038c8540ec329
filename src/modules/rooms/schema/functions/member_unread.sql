-- Marks a room unread from a message on: a mark beside the cursors, which do not move. Whoever reads the next time clears it
-- (cursor_advance). Answers with all that the member has set (`me`).
-- status: ok · no_room · not_member · beyond (with last_seq) · before (with first_seq: the oldest that can be unread)
--
-- Locks: the cursor.
--
-- tables: cursors
-- execute: tenant
CREATE FUNCTION member_unread(p_tenant uuid, p_room uuid, p_user text, p_seq bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  since bigint;
BEGIN
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL;
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT m.joined_seq INTO since FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user;
  IF since IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  IF p_seq > room.last_seq THEN RETURN jsonb_build_object('status', 'beyond', 'last_seq', room.last_seq); END IF;
  IF p_seq < GREATEST(room.first_seq, since + 1) THEN
    RETURN jsonb_build_object('status', 'before', 'first_seq', GREATEST(room.first_seq, since + 1));
  END IF;
  INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq, read_seq, unread_seq)
  VALUES (p_tenant, p_room, p_user, since, since, p_seq)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE SET unread_seq = p_seq;
  RETURN jsonb_build_object('status', 'ok', 'me', member_me(p_tenant, p_room, p_user));
END $f$;
