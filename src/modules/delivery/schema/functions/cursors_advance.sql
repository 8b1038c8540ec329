-- What cursor_advance does, for many items in one statement and with its answers: those of one member in one room count in
-- the order in which they are given. Besides its statuses: busy (another transaction holds the cursor or a letter: nothing
-- was decided, and the caller asks cursor_advance for this item alone).
--
-- It deadlocks with nobody, in whatever order others take their locks. Cursors and letters that are held are skipped. It
-- waits for one thing only: to insert a cursor that another transaction inserts just now. That is done in the order of the
-- key, before a row is changed or a letter locked; so who is waited for waits for a cursor of a higher key, or for none.
--
-- Those with letters, and those with a mark of an unread room, go one by one (`lettered`): they are few.
--
-- A cursor is updated where it lies (its ctid) instead of being looked up again; it is locked by a statement of its own, for
-- the next one has to see what the lock has found.
--
-- Locks: the cursors, then their letters. The rooms are not locked: their last_seq only rises.
--
-- tables: room_members, rooms
-- execute: tenant
CREATE FUNCTION cursors_advance(p_tenant uuid, p_rooms uuid[], p_users text[], p_seqs bigint[], p_reads boolean[])
RETURNS TABLE (item integer, status text, advanced boolean, acked bigint, last_seq bigint, me jsonb)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $f$
#variable_conflict use_column
DECLARE
  held_acked bigint[];
  held_read bigint[];
  held_lettered boolean[];
  held_tids tid[];
  one record;
  said jsonb;
BEGIN
  SELECT array_agg(l.acked_seq), array_agg(l.read_seq), array_agg(l.has_dead_letters OR l.unread_seq IS NOT NULL), array_agg(l.tid)
    INTO held_acked, held_read, held_lettered, held_tids
    FROM (SELECT c.* FROM unnest(p_rooms, p_users) WITH ORDINALITY u(r, n, ord)
      LEFT JOIN LATERAL (SELECT x.acked_seq, x.read_seq, x.has_dead_letters, x.unread_seq, x.ctid AS tid FROM cursors x
        WHERE x.tenant_id = p_tenant AND x.room_id = u.r AND x.user_id = u.n FOR NO KEY UPDATE SKIP LOCKED) c ON true
      ORDER BY u.ord) l;
  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT u.r, u.n, u.ord, u.tid, u.acked0, u.read0, k.last_seq, GREATEST(u.seq, m.joined_seq) AS acks,
      CASE WHEN u.is_read THEN GREATEST(u.seq, m.joined_seq) ELSE m.joined_seq END AS reads,
      CASE WHEN k.last_seq IS NULL THEN 'no_room' WHEN m.joined_seq IS NULL THEN 'not_member'
        WHEN u.seq > k.last_seq THEN 'beyond'
        WHEN u.tid IS NULL AND (SELECT true FROM cursors c
          WHERE c.tenant_id = p_tenant AND c.room_id = u.r AND c.user_id = u.n) THEN 'busy'
        ELSE 'ok' END AS status
    FROM (SELECT v.r, v.n COLLATE "C" AS n, v.seq, v.is_read, v.acked0, v.read0, v.tid, v.ord
      FROM unnest(p_rooms, p_users, p_seqs, p_reads, held_acked, held_read, held_lettered, held_tids)
        WITH ORDINALITY v(r, n, seq, is_read, acked0, read0, lettered, tid, ord) WHERE v.lettered IS NOT TRUE) u
    LEFT JOIN LATERAL (SELECT q.last_seq FROM rooms q
      WHERE q.tenant_id = p_tenant AND q.room_id = u.r AND q.deleted_at IS NULL OFFSET 0) k ON true
    LEFT JOIN LATERAL (SELECT q.joined_seq FROM room_members q
      WHERE q.tenant_id = p_tenant AND q.room_id = u.r AND q.user_id = u.n OFFSET 0) m ON true
  ), found AS (
    -- The cursor as the items before it leave it; null where there is none yet.
    SELECT a.*, GREATEST(a.acked0, max(a.acks) FILTER (WHERE a.status = 'ok') OVER earlier) AS acked1,
      GREATEST(a.read0, max(a.reads) FILTER (WHERE a.status = 'ok') OVER earlier) AS read1
    FROM asked a
    WINDOW earlier AS (PARTITION BY a.r, a.n ORDER BY a.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ), told AS MATERIALIZED (
    SELECT f.*, f.status = 'ok' AND (f.acked1 IS NULL OR f.acks > f.acked1 OR f.reads > f.read1) AS advances FROM found f
  ), ends AS MATERIALIZED (
    SELECT t.r, t.n, t.tid, GREATEST(t.acked0, max(t.acks)) AS acked, GREATEST(t.read0, max(t.reads)) AS read
    FROM told t WHERE t.advances GROUP BY t.r, t.n, t.tid, t.acked0, t.read0
  ), made AS (
    INSERT INTO cursors (tenant_id, room_id, user_id, acked_seq, read_seq)
    SELECT p_tenant, e.r, e.n, e.acked, e.read FROM ends e WHERE e.tid IS NULL ORDER BY e.r, e.n
    ON CONFLICT (tenant_id, room_id, user_id) DO NOTHING RETURNING room_id, user_id
  ), moved AS (
    UPDATE cursors c SET acked_seq = e.acked, read_seq = e.read, updated_at = clock_timestamp()
    FROM ends e WHERE c.ctid = e.tid AND (SELECT count(*) FROM made) >= 0
  ), answers AS MATERIALIZED (
    SELECT t.*, t.status = 'ok' AND t.tid IS NULL
      AND (t.r, t.n) NOT IN (SELECT i.room_id, i.user_id FROM made i) AS is_late FROM told t
  )
  SELECT w.ord::integer, CASE WHEN w.is_late THEN 'busy' ELSE w.status END,
    CASE WHEN w.status = 'ok' AND NOT w.is_late THEN w.advances END,
    CASE WHEN w.advances AND NOT w.is_late THEN GREATEST(w.acked1, w.acks) END,
    CASE WHEN w.status = 'beyond' THEN w.last_seq END, NULL::jsonb
  FROM answers w;
  IF true = ANY (held_lettered) THEN
    FOR one IN
      SELECT u.* FROM unnest(p_rooms, p_users, p_seqs, p_reads, held_lettered)
        WITH ORDINALITY u(r, n, seq, is_read, lettered, ord) WHERE u.lettered ORDER BY u.ord
    LOOP
      said := cursor_try_advance(p_tenant, one.r, one.n, one.seq, one.is_read);
      RETURN QUERY SELECT one.ord::integer, said->>'status', (said->>'advanced')::boolean, (said->>'acked')::bigint,
        (said->>'last_seq')::bigint, said->'me';
    END LOOP;
  END IF;
END $f$;
