-- Takes one message's letter out of its run. status: ok · not_found
--
-- Locks: the cursor, the letters.
--
-- execute: tenant
CREATE FUNCTION dead_letters_drop(p_tenant uuid, p_id uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  no bigint := dead_letter_no(p_id);
  at bigint := dead_letter_seq(p_id);
  run dead_letters;
BEGIN
  PERFORM 1 FROM cursors c JOIN dead_letters d
    ON d.tenant_id = c.tenant_id AND d.room_id = c.room_id AND d.user_id = c.user_id
  WHERE d.tenant_id = p_tenant AND d.letter_no = no AND at BETWEEN d.from_seq AND d.to_seq FOR UPDATE OF c;
  DELETE FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.letter_no = no
    AND at BETWEEN d.from_seq AND d.to_seq RETURNING * INTO run;
  IF run.letter_no IS NULL THEN RETURN jsonb_build_object('status', 'not_found'); END IF;
  INSERT INTO dead_letters SELECT run.tenant_id, run.room_id, run.user_id, part.low, part.high, run.letter_no,
    run.attempts, run.last_attempt_at, run.error
  FROM (VALUES (run.from_seq, at - 1), (at + 1, run.to_seq)) part(low, high) WHERE part.low <= part.high;
  RETURN jsonb_build_object('status', 'ok');
END $f$;
