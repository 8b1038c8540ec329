-- Changes of a room after a revision that are no messages, for reads that join them with the log; the caller orders and
-- limits. Without SET, so that it is inlined.
--
-- execute: tenant
CREATE FUNCTION room_events_after(p_tenant uuid, p_room uuid, p_rev bigint)
RETURNS TABLE (rev bigint, type text, payload jsonb)
LANGUAGE sql STABLE AS $f$
  SELECT e.rev, e.type, e.payload FROM room_events e
  WHERE e.tenant_id = p_tenant AND e.room_id = p_room AND e.rev > p_rev
$f$;
