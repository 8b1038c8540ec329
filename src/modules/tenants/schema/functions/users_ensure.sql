-- Makes the users that are not there yet.
--
-- Locks: the users, in the order of their ids; behind the room's, where there is one.
--
-- execute: tenant
CREATE FUNCTION users_ensure(p_tenant uuid, p_users text[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  INSERT INTO users (tenant_id, user_id) SELECT p_tenant, u FROM unnest(p_users) u ORDER BY u COLLATE "C"
  ON CONFLICT DO NOTHING
$f$;
