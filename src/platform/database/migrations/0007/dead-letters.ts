/**
 * Dead letters. The member's row in cursors is the lock of their letters in a room: whoever adds, drops or acknowledges
 * holds it. Locks are taken in the order room, membership, cursor, letters.
 */
export const DEAD_LETTER_FUNCTIONS = `
-- The id of one message's letter: a UUIDv8 of the letters' number (60 bits) and the message's seq.
CREATE FUNCTION dead_letter_id(p_no bigint, p_seq bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT (lpad(to_hex(p_no >> 12), 12, '0') || '8' || lpad(to_hex(p_no & 4095), 3, '0')
    || '8' || lpad(to_hex(p_seq), 15, '0'))::uuid
$f$;

-- Of an id that is no letter of a message: null.
CREATE FUNCTION dead_letter_no(p_id uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT ('x' || left(h, 12) || substr(h, 14, 3))::bit(60)::bigint
  FROM replace(p_id::text, '-', '') h WHERE substr(h, 13, 1) = '8' AND substr(h, 17, 1) = '8'
$f$;

CREATE FUNCTION dead_letter_seq(p_id uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT ('x' || right(replace(p_id::text, '-', ''), 15))::bit(60)::bigint
$f$;

-- Acknowledged up to p_acked. The caller holds the cursor.
CREATE FUNCTION dead_letters_acked(p_tenant uuid, p_room uuid, p_user text, p_acked bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  DELETE FROM dead_letters d
  WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user AND d.to_seq <= p_acked;
  UPDATE dead_letters d SET from_seq = p_acked + 1
  WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user AND d.from_seq <= p_acked;
  UPDATE cursors c SET has_dead_letters = EXISTS (SELECT 1 FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user)
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user;
END $f$;

-- A connection gave up on p_from to p_to. What is acknowledged by now is left out; what has a letter already keeps its
-- id. Returns how many messages have a letter that had none. status: ok · no_room · not_member
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

-- Takes one message's letter out of its run. status: ok · not_found
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

-- The letters of the newest runs, message by message; a run gives its oldest ones.
CREATE FUNCTION dead_letters_page(p_tenant uuid, p_limit integer)
RETURNS TABLE (id uuid, message_id uuid, user_id text, room_id uuid, attempts integer, last_attempt_at timestamptz,
  error text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  WITH runs AS (
    SELECT d.*, d.to_seq - d.from_seq + 1 AS n FROM dead_letters d WHERE d.tenant_id = p_tenant
    ORDER BY d.last_attempt_at DESC, d.room_id, d.user_id, d.from_seq LIMIT p_limit
  ), placed AS (
    SELECT r.*, sum(r.n) OVER (ORDER BY r.last_attempt_at DESC, r.room_id, r.user_id, r.from_seq) - r.n AS before
    FROM runs r
  ), cut AS (
    SELECT p.*, LEAST(p.to_seq, p.from_seq + p_limit - p.before::bigint - 1) AS last FROM placed p
    WHERE p.before < p_limit OFFSET 0
  )
  SELECT dead_letter_id(c.letter_no, m.seq), m.message_id, c.user_id, c.room_id, c.attempts, c.last_attempt_at, c.error
  FROM cut c CROSS JOIN LATERAL (SELECT m.seq, m.message_id FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = c.room_id AND m.seq >= c.from_seq AND m.seq <= c.last) m
  ORDER BY c.last_attempt_at DESC, c.room_id, c.user_id, m.seq
$f$;

-- Counts one more attempt of the letters with these ids, or of all runs that fit: at most p_limit runs after the given
-- one. Returns what is to be sent again, in the order of the key.
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
      AND (p_after_room IS NULL OR (d.room_id, d.user_id, d.from_seq) > (p_after_room, p_after_user, p_after_seq))
      AND (p_ids IS NULL OR (d.letter_no = ANY (numbers) AND EXISTS (SELECT 1 FROM unnest(p_ids) i(id)
        WHERE dead_letter_no(i.id) = d.letter_no AND dead_letter_seq(i.id) BETWEEN d.from_seq AND d.to_seq)))
    ORDER BY d.room_id, d.user_id, d.from_seq LIMIT p_limit FOR UPDATE
  ), tried AS (
    UPDATE dead_letters d SET attempts = d.attempts + 1, last_attempt_at = clock_timestamp() FROM chosen c
    WHERE d.tenant_id = p_tenant AND d.room_id = c.room_id AND d.user_id = c.user_id AND d.from_seq = c.from_seq
    RETURNING d.room_id, d.user_id, d.from_seq, d.to_seq, d.letter_no
  ), sent AS (
    SELECT t.room_id, t.user_id, t.from_seq, t.to_seq FROM tried t WHERE p_ids IS NULL
    UNION ALL
    SELECT DISTINCT t.room_id, t.user_id, dead_letter_seq(i.id), dead_letter_seq(i.id)
    FROM tried t JOIN unnest(p_ids) i(id) ON dead_letter_no(i.id) = t.letter_no
      AND dead_letter_seq(i.id) BETWEEN t.from_seq AND t.to_seq
  )
  SELECT jsonb_agg(jsonb_build_object('room_id', s.room_id, 'user_id', s.user_id, 'from_seq', s.from_seq,
    'to_seq', s.to_seq) ORDER BY s.room_id, s.user_id, s.from_seq) INTO letters FROM sent s;
  RETURN jsonb_build_object('status', 'ok', 'letters', COALESCE(letters, '[]'));
END $f$;

-- How far a user has acknowledged the rooms of which they are a member; the others are missing. Without SET, so that it
-- is inlined.
CREATE FUNCTION cursor_positions(p_tenant uuid, p_user text, p_rooms uuid[])
RETURNS TABLE (room_id uuid, acked_seq bigint)
LANGUAGE sql STABLE AS $f$
  SELECT m.room_id, GREATEST(m.joined_seq, c.acked_seq) FROM room_members m
  LEFT JOIN cursors c ON c.tenant_id = m.tenant_id AND c.room_id = m.room_id AND c.user_id = m.user_id
  WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.room_id = ANY (p_rooms)
$f$;
`;

/** What was there before, and now also ends letters. */
export const CHANGED_FUNCTIONS = `
CREATE OR REPLACE FUNCTION cursor_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  newest bigint;
  since bigint;
  acked bigint;
  advanced boolean;
  has_letters boolean;
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
    WHERE EXCLUDED.acked_seq > c.acked_seq OR EXCLUDED.read_seq > c.read_seq
  RETURNING c.acked_seq, c.has_dead_letters INTO acked, has_letters;
  advanced := FOUND;
  IF has_letters THEN PERFORM dead_letters_acked(p_tenant, p_room, p_user, acked); END IF;
  RETURN jsonb_build_object('status', 'ok', 'advanced', advanced, 'acked', acked);
END $f$;

CREATE OR REPLACE FUNCTION room_delete(p_tenant uuid, p_room uuid, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room.type IN ('dm', 'ai') OR room_role(p_tenant, p_room, p_user) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  UPDATE rooms r SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  DELETE FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.room_id = p_room;
  PERFORM room_log(p_tenant, p_room, room.last_rev, 'room.deleted',
    jsonb_build_array(jsonb_build_object('room_id', p_room, 'by', p_user)));
  RETURN jsonb_build_object('status', 'ok');
END $f$;
`;
