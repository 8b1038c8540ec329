-- A connection gave up on p_from to p_to. What is acknowledged by now is left out; what has a letter already keeps its
-- id. Returns how many messages have a letter that had none. status: ok · no_room · not_member
--
-- The member's cursor is the lock of their letters in a room: what adds, drops or acknowledges holds it.
--
-- Locks: the room (shared, so that room_delete either sees the letters or is seen), the cursor, the letters.
--
-- tables: room_members, rooms
-- execute: tenant
CREATE FUNCTION dead_letters_add(
  p_tenant uuid, p_room uuid, p_user text, p_from bigint, p_to bigint, p_attempts integer, p_error text
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  since bigint;
  acked bigint;
  known record;
  low bigint;
BEGIN
  -- Shared, so that room_delete either sees the letters or is seen.
  PERFORM 1 FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL FOR SHARE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'no_room', 'added', 0); END IF;
  SELECT m.joined_seq INTO since FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user;
  IF since IS NULL THEN RETURN jsonb_build_object('status', 'not_member', 'added', 0); END IF;
  INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq, read_seq, has_dead_letters)
  VALUES (p_tenant, p_room, p_user, since, since, true)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE SET has_dead_letters = true
  RETURNING GREATEST(c.acked_seq, since) INTO acked;
  low := GREATEST(p_from, acked + 1);
  IF low > p_to THEN RETURN jsonb_build_object('status', 'ok', 'added', 0); END IF;
  -- Those that it overlaps or touches become one with it.
  WITH gone AS (DELETE FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user
      AND d.from_seq <= p_to + 1 AND d.to_seq >= low - 1 RETURNING d.*)
  SELECT COALESCE(min(g.from_seq), low) AS from_seq, COALESCE(max(g.to_seq), p_to) AS to_seq,
    COALESCE(max(g.attempts), 0) AS attempts, COALESCE(sum(g.to_seq - g.from_seq + 1), 0)::bigint AS n,
    COALESCE(min(g.letter_no), (SELECT d.letter_no FROM dead_letters d WHERE d.tenant_id = p_tenant
      AND d.room_id = p_room AND d.user_id = p_user LIMIT 1), dead_letter_no(overlay(overlay(
      gen_random_uuid()::text PLACING '8' FROM 15) PLACING '8' FROM 20)::uuid)) AS letter_no
  INTO known FROM gone g;
  INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
  VALUES (p_tenant, p_room, p_user, LEAST(low, known.from_seq), GREATEST(p_to, known.to_seq), known.letter_no,
    GREATEST(p_attempts, known.attempts), clock_timestamp(), p_error);
  RETURN jsonb_build_object('status', 'ok',
    'added', GREATEST(p_to, known.to_seq) - LEAST(low, known.from_seq) + 1 - known.n);
END $f$;
