-- Members whom a message was for (they had joined before it), in the order of joining after a place in it, with how far each has got;
-- without its sender and agents. A position that is older than the membership counts as the seq at which the member joined.
--
-- tables: room_members
-- execute: tenant
CREATE FUNCTION message_receipts(p_tenant uuid, p_room uuid, p_seq bigint, p_sender text, p_after bigint, p_limit integer)
RETURNS TABLE (member_no bigint, user_id text, has_it boolean, has_read boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT m.member_no, m.user_id, COALESCE(c.acked_seq >= p_seq, false), COALESCE(c.read_seq >= p_seq, false)
  FROM (SELECT x.member_no, x.user_id FROM room_members x WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.member_no > 0
      AND x.member_no > p_after AND x.joined_seq < p_seq AND x.user_id <> p_sender AND x.role <> 'agent'
    ORDER BY x.member_no LIMIT p_limit) m
  LEFT JOIN LATERAL (SELECT y.acked_seq, y.read_seq FROM cursors y
    WHERE y.tenant_id = p_tenant AND y.room_id = p_room AND y.user_id = m.user_id OFFSET 0) c ON true
  ORDER BY m.member_no
$f$;
