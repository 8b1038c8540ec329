-- Ends the construction of a room, in one step: it is there for all, with its log, and its members have read all of it. p_row: the
-- room, as a line of an export has it.
-- status: ok · done (it was opened before) · dm_exists (somebody has made the dm of these two meanwhile)
--
-- Locks: the room; the cursors that it makes.
--
-- tables: cursors
-- execute: tenant
CREATE FUNCTION import_room_open(p_tenant uuid, p_room uuid, p_import uuid, p_row json)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN jsonb_build_object('status', 'done'); END IF;
  BEGIN
    UPDATE rooms r SET unique_key = x.unique_key, first_seq = x.first_seq, last_seq = x.last_seq, first_rev = x.first_rev,
      last_rev = x.last_rev, members_added = x.members_added, retention_days = x.retention_days,
      last_message_at = x.last_message_at, deleted_at = NULL, member_count = (SELECT count(*) FROM room_members m
        WHERE m.tenant_id = p_tenant AND m.room_id = p_room)
    FROM json_to_record(p_row) x(unique_key text, first_seq bigint, last_seq bigint, first_rev bigint, last_rev bigint,
      members_added bigint, retention_days integer, last_message_at timestamptz)
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING r.* INTO room;
  EXCEPTION WHEN unique_violation THEN
    RETURN jsonb_build_object('status', 'dm_exists');
  END;
  INSERT INTO cursors (tenant_id, room_id, user_id, acked_seq, read_seq)
  SELECT p_tenant, p_room, m.user_id, room.last_seq, room.last_seq FROM room_members m
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND room.last_seq > 0 ON CONFLICT DO NOTHING;
  UPDATE import_rooms i SET is_done = true, last_seq = room.last_seq, last_rev = room.last_rev
  WHERE i.tenant_id = p_tenant AND i.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok');
END $f$;
