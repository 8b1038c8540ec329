-- Takes one message's letter out of its run. status: ok · not_found
--
-- A letter that is not there when the locks are asked for is not found, whatever comes a moment later: without them no
-- row of letters is touched. dead_letters_add would miss the two halves and write a run over them, room_delete and
-- member_remove would leave them behind.
--
-- Locks: the room (shared), the cursor, the letters.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION dead_letters_drop(p_tenant uuid, p_id uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  no bigint := dead_letter_no(p_id);
  at bigint := dead_letter_seq(p_id);
  run dead_letters;
BEGIN
  SELECT d.* INTO run FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.letter_no = no AND at BETWEEN d.from_seq AND d.to_seq;
  PERFORM 1 FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = run.room_id AND r.deleted_at IS NULL FOR SHARE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'not_found'); END IF;
  PERFORM 1 FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id AND c.user_id = run.user_id FOR UPDATE;
  DELETE FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.room_id = run.room_id AND d.user_id = run.user_id
    AND d.letter_no = no AND at BETWEEN d.from_seq AND d.to_seq RETURNING * INTO run;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'not_found'); END IF;
  INSERT INTO dead_letters SELECT run.tenant_id, run.room_id, run.user_id, part.low, part.high, run.letter_no,
    run.attempts, run.last_attempt_at, run.error
  FROM (VALUES (run.from_seq, at - 1), (at + 1, run.to_seq)) part(low, high) WHERE part.low <= part.high;
  RETURN jsonb_build_object('status', 'ok');
END $f$;
