-- What is kept of a room: messages from first_seq on, changes after first_rev. For statements of other modules. Without SET,
-- so that it is inlined.
--
-- execute: tenant
CREATE FUNCTION room_keeps(p_tenant uuid, p_room uuid)
RETURNS TABLE (first_seq bigint, first_rev bigint, has_states boolean)
LANGUAGE sql STABLE AS $f$
  SELECT r.first_seq, r.first_rev, r.has_states FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room
$f$;
