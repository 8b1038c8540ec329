-- Writes one event per element with consecutive revisions after p_rev and returns the last one. The caller holds the room,
-- and stores that revision in it.
--
-- execute: tenant
CREATE FUNCTION room_log(p_tenant uuid, p_room uuid, p_rev bigint, p_type text, p_payloads jsonb) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  WITH e AS (SELECT value, ordinality FROM jsonb_array_elements(p_payloads) WITH ORDINALITY), i AS (
    INSERT INTO room_events (tenant_id, room_id, rev, type, payload)
    SELECT p_tenant, p_room, p_rev + e.ordinality, p_type, e.value FROM e ORDER BY e.ordinality)
  SELECT p_rev + count(*) FROM e
$f$;
