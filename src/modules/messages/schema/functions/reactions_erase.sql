-- A batch of the erase of what a user reacted with, of one room: the reactions go, and each message is told with those that are
-- left; then, room by room, of what the user pinned nobody is told to have done it any more. What the room keeps no more, and rooms that
-- are deleted, are changed silently.
--
-- Locks: the room, as the append.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION reactions_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  found uuid;
  room rooms;
  given record;
  pinned bigint;
  shown jsonb;
  key text;
  is_told boolean;
  gone bigint := 0;
BEGIN
  SELECT x.room_id INTO found FROM message_reactions x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
    ORDER BY x.room_id LIMIT 1;
  IF found IS NULL THEN
    SELECT p.room_id INTO found FROM room_pins p WHERE p.tenant_id = p_tenant AND p.pinned_by = p_user
      ORDER BY p.room_id LIMIT 1;
    IF found IS NULL THEN RETURN jsonb_build_object('counts', jsonb_build_object('pins', 0), 'after', NULL); END IF;
    SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = found FOR NO KEY UPDATE;
    FOR pinned IN SELECT p.seq FROM room_pins p
      WHERE p.tenant_id = p_tenant AND p.room_id = found AND p.pinned_by = p_user ORDER BY p.seq
    LOOP
      is_told := room.deleted_at IS NULL AND pinned >= room.first_seq;
      IF is_told THEN room.last_rev := room.last_rev + 1; END IF;
      UPDATE room_pins p SET pinned_by = p_erased, rev = CASE WHEN is_told THEN room.last_rev ELSE p.rev END
      WHERE p.tenant_id = p_tenant AND p.room_id = found AND p.seq = pinned;
      gone := gone + 1;
    END LOOP;
    UPDATE rooms r SET last_rev = room.last_rev WHERE r.tenant_id = p_tenant AND r.room_id = found;
    RETURN jsonb_build_object('counts', jsonb_build_object('pins', gone), 'rooms', jsonb_build_array(found),
      'after', jsonb_build_object());
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = found FOR NO KEY UPDATE;
  FOR given IN
    SELECT x.seq, array_agg(x.key ORDER BY x.key) AS keys FROM (SELECT m.seq, m.key FROM message_reactions m
      WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.room_id = found ORDER BY m.seq, m.key LIMIT p_limit) x
    GROUP BY x.seq ORDER BY x.seq
  LOOP
    SELECT c.counts INTO shown FROM message_reaction_counts c
      WHERE c.tenant_id = p_tenant AND c.room_id = found AND c.seq = given.seq;
    FOREACH key IN ARRAY given.keys LOOP
      shown := reaction_counts_without(shown, p_tenant, found, given.seq, key, p_user);
    END LOOP;
    DELETE FROM message_reactions x WHERE x.tenant_id = p_tenant AND x.user_id = p_user AND x.room_id = found
      AND x.seq = given.seq AND x.key = ANY (given.keys);
    is_told := room.deleted_at IS NULL AND given.seq >= room.first_seq;
    IF is_told THEN room.last_rev := room.last_rev + 1; END IF;
    UPDATE message_reaction_counts c SET counts = shown, rev = CASE WHEN is_told THEN room.last_rev ELSE c.rev END
    WHERE c.tenant_id = p_tenant AND c.room_id = found AND c.seq = given.seq;
    gone := gone + cardinality(given.keys);
  END LOOP;
  UPDATE rooms r SET last_rev = room.last_rev WHERE r.tenant_id = p_tenant AND r.room_id = found;
  RETURN jsonb_build_object('counts', jsonb_build_object('reactions', gone), 'rooms', jsonb_build_array(found),
    'after', jsonb_build_object());
END $f$;
