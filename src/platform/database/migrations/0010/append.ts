/**
 * The append of migration 0002 with less work per call, which is what small batches pay for; its invariants and answers
 * are the same.
 *
 * - The rooms' rows are locked, so each is updated where it lies (its ctid) instead of being looked up again.
 * - Jobs are a statement of their own, made only where there are any: a message was stored by this very call when its
 *   seq lies beyond what its room had when it was locked.
 */
export const APPEND = `
CREATE OR REPLACE FUNCTION append_messages(
  p_wait boolean,
  p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[],
  p_contents text[], p_metas text[],
  p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[]
) RETURNS TABLE (item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $f$
#variable_conflict use_column
DECLARE
  held_tenants uuid[];
  held_rooms uuid[];
  held_posting text[];
  held_seqs bigint[];
  held_revs bigint[];
  held_ats timestamptz(3)[];
  held_tids tid[];
  ts timestamptz(3);
BEGIN
  IF p_wait THEN
    PERFORM set_config('lock_timeout', '1s', true);
    BEGIN
      SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting),
          array_agg(l.last_seq), array_agg(l.last_rev), array_agg(l.last_message_at), array_agg(l.tid)
        INTO held_tenants, held_rooms, held_posting, held_seqs, held_revs, held_ats, held_tids
        FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
          LATERAL (SELECT x.*, x.ctid AS tid FROM rooms x
            WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE) l;
    EXCEPTION WHEN lock_not_available THEN
      held_rooms := NULL;
    END;
  ELSE
    SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting),
        array_agg(l.last_seq), array_agg(l.last_rev), array_agg(l.last_message_at), array_agg(l.tid)
      INTO held_tenants, held_rooms, held_posting, held_seqs, held_revs, held_ats, held_tids
      FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.*, x.ctid AS tid FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  ts := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH placed AS MATERIALIZED (
    SELECT j.*, count(*) FILTER (WHERE j.fits) OVER (PARTITION BY j.t, j.r ORDER BY j.ord ROWS UNBOUNDED PRECEDING) AS n
    FROM (
      SELECT u.*, h.r IS NOT NULL AS is_held, h.seq0, h.rev0, h.tid, GREATEST(ts, h.at0) AS at, m.role,
        x.seq AS old_seq, x.rev AS old_rev, x.message_id AS old_id, x.created_at AS old_at, x.body_hash AS old_hash,
        h.r IS NOT NULL AND x.seq IS NULL AND m.role IS NOT NULL AND (h.posting = 'members' OR m.role <> 'member')
          AS fits
      FROM unnest(p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes, p_contents, p_metas)
        WITH ORDINALITY u(t, r, id, sender, client_id, hash, content, meta, ord)
      LEFT JOIN unnest(held_tenants, held_rooms, held_posting, held_seqs, held_revs, held_ats, held_tids)
        h(t, r, posting, seq0, rev0, at0, tid) ON h.t = u.t AND h.r = u.r
      LEFT JOIN LATERAL (SELECT y.seq, y.rev, y.message_id, y.created_at, y.body_hash FROM messages y
        WHERE y.tenant_id = u.t AND y.room_id = u.r AND y.sender_id = u.sender AND y.client_message_id = u.client_id
        OFFSET 0) x ON true
      LEFT JOIN LATERAL (SELECT k.role FROM room_members k
        WHERE k.tenant_id = u.t AND k.room_id = u.r AND k.user_id = u.sender OFFSET 0) m ON true
    ) j
  ), bumped AS (
    UPDATE rooms q SET last_seq = q.last_seq + g.k, last_rev = q.last_rev + g.k, last_message_at = g.at
    FROM (SELECT p.tid, count(*) AS k, max(p.at) AS at FROM placed p WHERE p.fits GROUP BY 1) g
    WHERE q.ctid = g.tid
  ), stored AS (
    INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash,
      content, meta, created_at)
    SELECT p.t, p.r, p.seq0 + p.n, p.id, p.rev0 + p.n, p.sender, p.client_id, p.hash, p.content, p.meta::json, p.at
    FROM placed p WHERE p.fits
  )
  SELECT p.ord::integer,
    CASE
      WHEN p.fits OR p.old_id = p.id THEN 'new'
      WHEN p.old_seq IS NOT NULL THEN CASE WHEN p.old_hash = p.hash THEN 'duplicate' ELSE 'mismatch' END
      WHEN NOT p.is_held THEN CASE WHEN EXISTS (SELECT 1 FROM rooms z
        WHERE z.tenant_id = p.t AND z.room_id = p.r AND z.deleted_at IS NULL) THEN 'locked' ELSE 'no_room' END
      WHEN p.role IS NULL THEN 'not_member'
      ELSE 'posting'
    END,
    CASE WHEN p.fits THEN p.id ELSE p.old_id END,
    CASE WHEN p.fits THEN p.seq0 + p.n ELSE p.old_seq END,
    CASE WHEN p.fits THEN p.rev0 + p.n ELSE p.old_rev END,
    CASE WHEN p.fits THEN p.at ELSE p.old_at END
  FROM placed p;
  IF cardinality(p_job_items) > 0 THEN
    INSERT INTO jobs (tenant_id, kind, key, payload)
    SELECT m.tenant_id, w.kind, w.key, w.payload::jsonb || jsonb_build_object('message_id', m.message_id, 'seq', m.seq)
    FROM unnest(p_job_items, p_job_kinds, p_job_keys, p_job_payloads) w(item, kind, key, payload)
    CROSS JOIN LATERAL (SELECT y.* FROM messages y
      WHERE y.tenant_id = p_tenants[w.item] AND y.message_id = p_ids[w.item] OFFSET 0) m
    JOIN unnest(held_tenants, held_rooms, held_seqs) h(t, r, seq0) ON h.t = m.tenant_id AND h.r = m.room_id
    WHERE m.seq > h.seq0
    ORDER BY w.item;
  END IF;
END $f$;
`;
