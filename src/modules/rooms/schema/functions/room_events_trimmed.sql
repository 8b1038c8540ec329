-- Deletes changes of a room that lie before what it keeps, the oldest p_limit of them; returns how many there were.
--
-- execute: tenant
CREATE FUNCTION room_events_trimmed(p_tenant uuid, p_room uuid, p_limit integer) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  WITH gone AS (
    DELETE FROM room_events e WHERE e.tenant_id = p_tenant AND e.room_id = p_room AND e.rev = ANY (ARRAY(
      SELECT x.rev FROM room_events x WHERE x.tenant_id = p_tenant AND x.room_id = p_room
        AND x.rev <= (SELECT k.first_rev FROM room_keeps(p_tenant, p_room) k) ORDER BY x.rev LIMIT p_limit))
    RETURNING 1)
  SELECT count(*) FROM gone
$f$;
