-- How agents behave in a room, as far as it says so.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION agents_settings(p_tenant uuid, p_room uuid) RETURNS TABLE (settings jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT r.agent_settings FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room
$f$;
