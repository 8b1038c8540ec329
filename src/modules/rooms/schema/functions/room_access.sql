-- Whether and how a user sees a room; no row where the room does not exist. Without SET, so that it is inlined.
--
-- execute: tenant
CREATE FUNCTION room_access(p_tenant uuid, p_room uuid, p_user text)
RETURNS TABLE (type text, role text, allowed boolean, first_seq bigint, last_seq bigint, last_rev bigint,
  has_states boolean)
LANGUAGE sql STABLE AS $f$
  SELECT r.type, m.role, m.role IS NOT NULL OR r.type = 'channel', r.first_seq, r.last_seq, r.last_rev, r.has_states
  FROM rooms r LEFT JOIN room_members m
    ON m.tenant_id = r.tenant_id AND m.room_id = r.room_id AND m.user_id = p_user
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL
$f$;
