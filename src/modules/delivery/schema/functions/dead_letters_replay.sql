-- Counts one more attempt of the letters with these ids, or of all runs that fit: at most p_limit runs after the given
-- one. Returns what is to be sent again, in the order of the key; what a room keeps no more is no letter.
--
-- Locks: the letters, in the order of their key.
--
-- execute: tenant
CREATE FUNCTION dead_letters_replay(
  p_tenant uuid, p_ids uuid[], p_room uuid, p_user text, p_before timestamptz,
  p_after_room uuid, p_after_user text, p_after_seq bigint, p_limit integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  numbers bigint[] := ARRAY(SELECT dead_letter_no(i.id) FROM unnest(p_ids) i(id));
  letters jsonb;
BEGIN
  WITH chosen AS (
    SELECT d.room_id, d.user_id, d.from_seq FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND (p_room IS NULL OR d.room_id = p_room) AND (p_user IS NULL OR d.user_id = p_user)
      AND (p_before IS NULL OR d.last_attempt_at < p_before)
      AND d.to_seq >= (SELECT k.first_seq FROM room_keeps(p_tenant, d.room_id) k)
      AND (p_after_room IS NULL OR (d.room_id, d.user_id, d.from_seq) > (p_after_room, p_after_user, p_after_seq))
      AND (p_ids IS NULL OR (d.letter_no = ANY (numbers) AND EXISTS (SELECT 1 FROM unnest(p_ids) i(id)
        WHERE dead_letter_no(i.id) = d.letter_no AND dead_letter_seq(i.id) BETWEEN d.from_seq AND d.to_seq
          AND dead_letter_seq(i.id) >= (SELECT k.first_seq FROM room_keeps(p_tenant, d.room_id) k))))
    ORDER BY d.room_id, d.user_id, d.from_seq LIMIT p_limit FOR UPDATE
  ), tried AS (
    UPDATE dead_letters d SET attempts = d.attempts + 1, last_attempt_at = clock_timestamp() FROM chosen c
    WHERE d.tenant_id = p_tenant AND d.room_id = c.room_id AND d.user_id = c.user_id AND d.from_seq = c.from_seq
    RETURNING d.room_id, d.user_id, d.from_seq, d.to_seq, d.letter_no
  ), sent AS (
    SELECT t.room_id, t.user_id, GREATEST(t.from_seq, k.first_seq) AS from_seq, t.to_seq
    FROM tried t CROSS JOIN LATERAL room_keeps(p_tenant, t.room_id) k WHERE p_ids IS NULL
    UNION ALL
    SELECT DISTINCT t.room_id, t.user_id, dead_letter_seq(i.id), dead_letter_seq(i.id)
    FROM tried t JOIN unnest(p_ids) i(id) ON dead_letter_no(i.id) = t.letter_no
      AND dead_letter_seq(i.id) BETWEEN t.from_seq AND t.to_seq
      AND dead_letter_seq(i.id) >= (SELECT k.first_seq FROM room_keeps(p_tenant, t.room_id) k)
  )
  SELECT jsonb_agg(jsonb_build_object('room_id', s.room_id, 'user_id', s.user_id, 'from_seq', s.from_seq,
    'to_seq', s.to_seq) ORDER BY s.room_id, s.user_id, s.from_seq) INTO letters FROM sent s;
  RETURN jsonb_build_object('status', 'ok', 'letters', COALESCE(letters, '[]'));
END $f$;
