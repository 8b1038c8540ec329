-- The letters of the newest runs, message by message; a run gives its oldest ones. What a room keeps no more has none.
--
-- tables: messages
-- execute: tenant
CREATE FUNCTION dead_letters_page(p_tenant uuid, p_limit integer)
RETURNS TABLE (id uuid, message_id uuid, user_id text, room_id uuid, attempts integer, last_attempt_at timestamptz,
  error text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  WITH runs AS (
    SELECT d.room_id, d.user_id, d.to_seq, d.letter_no, d.attempts, d.last_attempt_at, d.error,
      GREATEST(d.from_seq, k.first_seq) AS from_seq, d.to_seq - GREATEST(d.from_seq, k.first_seq) + 1 AS n
    FROM dead_letters d CROSS JOIN LATERAL (SELECT * FROM room_keeps(p_tenant, d.room_id) OFFSET 0) k
    WHERE d.tenant_id = p_tenant AND d.to_seq >= k.first_seq
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
