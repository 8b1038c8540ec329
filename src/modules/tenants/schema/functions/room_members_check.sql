-- Refuses a room beyond the tenant's `members_per_room`. A chat's members are fixed. The members of a room are counted by
-- the room itself, under its lock, which the caller holds.
--
-- execute: tenant
CREATE FUNCTION room_members_check(p_tenant uuid, p_type text, p_count integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  allowed bigint := (SELECT (t.limits->>'members_per_room')::bigint FROM tenants t WHERE t.tenant_id = p_tenant);
BEGIN
  IF p_type <> 'ai' AND p_count > allowed THEN PERFORM limit_reached('members_per_room', allowed); END IF;
END $f$;
