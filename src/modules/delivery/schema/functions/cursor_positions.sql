-- How far a user has acknowledged the rooms of which they are a member; the others are missing. Without SET, so that it
-- is inlined.
--
-- tables: room_members
-- execute: tenant
CREATE FUNCTION cursor_positions(p_tenant uuid, p_user text, p_rooms uuid[])
RETURNS TABLE (room_id uuid, acked_seq bigint)
LANGUAGE sql STABLE AS $f$
  SELECT m.room_id, GREATEST(m.joined_seq, c.acked_seq) FROM room_members m
  LEFT JOIN cursors c ON c.tenant_id = m.tenant_id AND c.room_id = m.room_id AND c.user_id = m.user_id
  WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.room_id = ANY (p_rooms)
$f$;
