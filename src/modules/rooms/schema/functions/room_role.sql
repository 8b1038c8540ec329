-- The role of a member; null: none is.
--
-- execute: tenant
CREATE FUNCTION room_role(p_tenant uuid, p_room uuid, p_user text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT m.role FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
$f$;
