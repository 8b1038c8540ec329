-- How far members have read, without those that have not since they joined; at most p_most. In order: with a LIMIT alone
-- the planner reads those of all rooms. A position that is older than the membership counts as the seq at which the member
-- joined. Without SET, so that it is inlined.
--
-- tables: room_members
-- execute: tenant
CREATE FUNCTION read_marks(p_tenant uuid, p_room uuid, p_most bigint)
RETURNS TABLE (user_id text, read_seq bigint)
LANGUAGE sql STABLE AS $f$
  SELECT m.user_id, c.read_seq
  FROM (SELECT m.user_id, m.joined_seq FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room ORDER BY m.user_id LIMIT p_most) m
  CROSS JOIN LATERAL (SELECT c.read_seq FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = m.user_id OFFSET 0) c
  WHERE c.read_seq > m.joined_seq
$f$;
