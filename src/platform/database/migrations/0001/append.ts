/**
 * The append: the one way a message enters the log.
 *
 * Invariants: `seq` of a room is 1…N without a gap, `rev` counts every change, `created_at` never falls as `seq`
 * rises, one client_message_id of a sender is one message. They hold because the room's row is locked first and
 * everything that is decided (duplicates, membership, posting) is read afterwards, in a new statement and so in a
 * new snapshot; an edit, a removal or another append that commits while this one waits for the lock is seen.
 *
 * The caller joins repeats of one (room, sender, client_message_id) within a call beforehand.
 * The same message (its id) handed in again after a lost connection is answered as new once more, not as a repeat.
 * status: new · duplicate · mismatch · no_room · not_member · posting · locked (somebody else holds the room, nothing
 * was decided about the item). With p_wait it waits for the rooms, at most a second each: a call that its client gave
 * up would otherwise stay in the lock's queue, hold its connection, and store later what was reported as lost.
 */
export const APPEND = `
CREATE FUNCTION append_messages(
  p_wait boolean,
  p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[],
  p_contents text[], p_metas text[],
  p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[]
) RETURNS TABLE (item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
#variable_conflict use_column
DECLARE
  held_tenants uuid[];
  held_rooms uuid[];
  held_posting text[];
  ts timestamptz(3);
BEGIN
  IF p_wait THEN
    PERFORM set_config('lock_timeout', '1s', true);
    BEGIN
      SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting)
        INTO held_tenants, held_rooms, held_posting
        FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
          LATERAL (SELECT x.tenant_id, x.room_id, x.posting FROM rooms x
            WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE) l;
    EXCEPTION WHEN lock_not_available THEN
      held_tenants := NULL;
      held_rooms := NULL;
      held_posting := NULL;
    END;
  ELSE
    SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting)
      INTO held_tenants, held_rooms, held_posting
      FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.tenant_id, x.room_id, x.posting FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  ts := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH held AS MATERIALIZED (
    SELECT h.t, h.r, h.posting FROM unnest(held_tenants, held_rooms, held_posting) h(t, r, posting)
  ), judged AS MATERIALIZED (
    SELECT u.*, h.r IS NOT NULL AS is_held, h.posting, m.role,
      x.seq AS old_seq, x.rev AS old_rev, x.message_id AS old_id, x.created_at AS old_at, x.body_hash AS old_hash
    FROM unnest(p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes, p_contents, p_metas)
      WITH ORDINALITY u(t, r, id, sender, client_id, hash, content, meta, ord)
    LEFT JOIN held h ON h.t = u.t AND h.r = u.r
    LEFT JOIN LATERAL (SELECT y.seq, y.rev, y.message_id, y.created_at, y.body_hash FROM messages y
      WHERE y.tenant_id = u.t AND y.room_id = u.r AND y.sender_id = u.sender AND y.client_message_id = u.client_id
      OFFSET 0) x ON true
    LEFT JOIN LATERAL (SELECT k.role FROM room_members k
      WHERE k.tenant_id = u.t AND k.room_id = u.r AND k.user_id = u.sender OFFSET 0) m ON true
  ), fresh AS MATERIALIZED (
    SELECT j.*, row_number() OVER (PARTITION BY j.t, j.r ORDER BY j.ord) AS n FROM judged j
    WHERE j.is_held AND j.old_seq IS NULL AND j.role IS NOT NULL AND (j.posting = 'members' OR j.role <> 'member')
  ), bumped AS (
    UPDATE rooms q SET last_seq = q.last_seq + g.k, last_rev = q.last_rev + g.k,
      last_message_at = GREATEST(ts, q.last_message_at)
    FROM (SELECT f.t, f.r, max(f.n) AS k FROM fresh f GROUP BY 1, 2) g
    WHERE q.tenant_id = g.t AND q.room_id = g.r
    RETURNING q.tenant_id AS t, q.room_id AS r, q.last_seq - g.k AS seq0, q.last_rev - g.k AS rev0,
      q.last_message_at AS at
  ), stored AS (
    INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash,
      content, meta, created_at)
    SELECT f.t, f.r, b.seq0 + f.n, f.id, b.rev0 + f.n, f.sender, f.client_id, f.hash, f.content, f.meta::json, b.at
    FROM fresh f JOIN bumped b ON b.t = f.t AND b.r = f.r
    RETURNING messages.message_id, messages.seq, messages.rev, messages.created_at
  ), queued AS (
    INSERT INTO jobs (tenant_id, kind, key, payload)
    SELECT f.t, w.kind, w.key, w.payload::jsonb || jsonb_build_object('message_id', s.message_id, 'seq', s.seq)
    FROM unnest(p_job_items, p_job_kinds, p_job_keys, p_job_payloads) w(item, kind, key, payload)
    JOIN fresh f ON f.ord = w.item
    JOIN stored s ON s.message_id = f.id
  )
  SELECT j.ord::integer,
    CASE
      WHEN s.seq IS NOT NULL THEN 'new'
      WHEN j.old_id = j.id THEN 'new'
      WHEN j.old_seq IS NOT NULL THEN CASE WHEN j.old_hash = j.hash THEN 'duplicate' ELSE 'mismatch' END
      WHEN NOT j.is_held THEN CASE WHEN EXISTS (SELECT 1 FROM rooms z
        WHERE z.tenant_id = j.t AND z.room_id = j.r AND z.deleted_at IS NULL) THEN 'locked' ELSE 'no_room' END
      WHEN j.role IS NULL THEN 'not_member'
      ELSE 'posting'
    END,
    COALESCE(s.message_id, j.old_id), COALESCE(s.seq, j.old_seq), COALESCE(s.rev, j.old_rev),
    COALESCE(s.created_at, j.old_at)
  FROM judged j LEFT JOIN stored s ON s.message_id = j.id;
END $f$;

-- Which of these messages are in the log: asked after a connection was lost while a batch was being committed.
CREATE FUNCTION append_lookup(p_tenants uuid[], p_rooms uuid[], p_ids uuid[])
RETURNS TABLE (item integer, seq bigint, rev bigint, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
  SELECT u.ord::integer, m.seq, m.rev, m.created_at
  FROM unnest(p_tenants, p_rooms, p_ids) WITH ORDINALITY u(t, r, id, ord)
  JOIN messages m ON m.tenant_id = u.t AND m.room_id = u.r AND m.message_id = u.id
$f$;

-- Statistics for a log that has outgrown the ones it has: a plan made on empty tables is several times slower, and
-- autovacuum comes only after a minute. p_rows: messages that the caller knows to be there. Owned by the tables' owner.
CREATE FUNCTION log_analyze(p_rows bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
BEGIN
  IF (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'public.messages'::regclass) * 2 >= p_rows THEN
    RETURN false;
  END IF;
  ANALYZE rooms, room_members, messages, cursors;
  RETURN true;
END $f$;
`;
