-- Acknowledges, and with p_read marks as read, up to p_seq; positions only rise. What is acknowledged has no letter. A read clears
-- the mark of an unread room, also where no position moves: what the member has set is then answered, too (`me`).
-- status: ok · no_room · not_member · beyond (with last_seq)
--
-- Locks: the cursor, then its letters. The room is not locked: its last_seq only rises.
--
-- tables: room_members, rooms
-- execute: tenant
CREATE FUNCTION cursor_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  newest bigint;
  since bigint;
  acked bigint;
  advanced boolean;
  has_letters boolean;
  told jsonb := '{}';
BEGIN
  SELECT r.last_seq INTO newest FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL;
  IF newest IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT m.joined_seq INTO since FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user;
  IF since IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  IF p_seq > newest THEN RETURN jsonb_build_object('status', 'beyond', 'last_seq', newest); END IF;
  IF p_read THEN
    UPDATE cursors c SET unread_seq = NULL
      WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user AND c.unread_seq IS NOT NULL;
    IF FOUND THEN told := jsonb_build_object('me', member_me(p_tenant, p_room, p_user)); END IF;
  END IF;
  INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq, read_seq)
  VALUES (p_tenant, p_room, p_user, GREATEST(p_seq, since), CASE WHEN p_read THEN GREATEST(p_seq, since) ELSE since END)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE
    SET acked_seq = GREATEST(c.acked_seq, EXCLUDED.acked_seq), read_seq = GREATEST(c.read_seq, EXCLUDED.read_seq),
      updated_at = clock_timestamp()
    WHERE EXCLUDED.acked_seq > c.acked_seq OR EXCLUDED.read_seq > c.read_seq
  RETURNING c.acked_seq, c.has_dead_letters INTO acked, has_letters;
  advanced := FOUND;
  IF has_letters THEN PERFORM dead_letters_acked(p_tenant, p_room, p_user, acked); END IF;
  RETURN jsonb_build_object('status', 'ok', 'advanced', advanced, 'acked', acked) || told;
END $f$;
