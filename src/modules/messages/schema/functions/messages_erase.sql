-- A batch of the erase of what a user wrote, in the order of the log, of one room. Each message becomes a tombstone, or stays
-- one, without anything of its sender and without versions, and is told as a change; what the room keeps no more, and rooms that are deleted, are
-- changed silently. What was kept under a hold that has ended goes first.
--
-- There is no index by sender: the log is walked, ten times p_limit messages at a time, and no content is read.
--
-- Locks: the room, its messages, as message_delete.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION messages_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  behind_room uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  behind_seq bigint := COALESCE((p_after->>'seq')::bigint, 0);
  page bigint := 10 * p_limit;
  found uuid;
  seqs bigint[];
  told bigint[];
  room rooms;
  gone bigint;
BEGIN
  IF p_after IS NULL OR p_after ? 'held' THEN
    DELETE FROM held_messages h USING (SELECT x.room_id, x.seq, x.rev FROM held_messages x
      WHERE x.tenant_id = p_tenant AND x.sender_id = p_user LIMIT p_limit) g
    WHERE h.tenant_id = p_tenant AND h.room_id = g.room_id AND h.seq = g.seq AND h.rev = g.rev;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN jsonb_build_object('counts', jsonb_build_object('held_messages', gone),
      'after', CASE WHEN gone = p_limit THEN jsonb_build_object('held', true) ELSE jsonb_build_object() END);
  END IF;
  SELECT w.room_id INTO found FROM (SELECT m.room_id, m.seq, m.sender_id FROM messages m
    WHERE m.tenant_id = p_tenant AND (m.room_id, m.seq) > (behind_room, behind_seq)
    ORDER BY m.room_id, m.seq LIMIT page) w WHERE w.sender_id = p_user ORDER BY w.room_id, w.seq LIMIT 1;
  IF found IS NULL THEN
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', (
      SELECT jsonb_build_object('room', m.room_id, 'seq', m.seq) FROM messages m
      WHERE m.tenant_id = p_tenant AND (m.room_id, m.seq) > (behind_room, behind_seq)
      ORDER BY m.room_id, m.seq OFFSET page - 1 LIMIT 1));
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = found FOR NO KEY UPDATE;
  IF found > behind_room THEN behind_seq := 0; END IF;
  SELECT array_agg(w.seq ORDER BY w.seq) INTO seqs FROM (SELECT x.seq FROM (
      SELECT m.seq, m.sender_id FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = found AND m.seq > behind_seq
      ORDER BY m.seq LIMIT page) x
    WHERE x.sender_id = p_user ORDER BY x.seq LIMIT p_limit) w;
  IF seqs IS NULL THEN
    -- It has gone while the room was waited for.
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', jsonb_build_object('room', found, 'seq', behind_seq));
  END IF;
  IF room.deleted_at IS NULL THEN
    SELECT COALESCE(array_agg(s ORDER BY s), '{}') INTO told FROM unnest(seqs) s WHERE s >= room.first_seq;
  END IF;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = found AND v.seq = ANY (seqs);
  UPDATE messages m SET sender_id = p_erased, content = '', meta = NULL, client_message_id = NULL, body_hash = NULL,
    deleted_at = COALESCE(m.deleted_at, clock_timestamp()),
    rev = COALESCE(room.last_rev + array_position(told, m.seq), m.rev)
  WHERE m.tenant_id = p_tenant AND m.room_id = found AND m.seq = ANY (seqs);
  IF room.has_states THEN PERFORM message_states_drop(p_tenant, found, seqs); END IF;
  UPDATE rooms r SET last_rev = r.last_rev + cardinality(told)
  WHERE r.tenant_id = p_tenant AND r.room_id = found AND cardinality(told) > 0;
  RETURN jsonb_build_object('counts', jsonb_build_object('messages', cardinality(seqs)), 'rooms', jsonb_build_array(found),
    'after', jsonb_build_object('room', found, 'seq', seqs[cardinality(seqs)]));
END $f$;
