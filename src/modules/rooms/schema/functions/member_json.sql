-- A member as clients get it.
--
-- execute: tenant
CREATE FUNCTION member_json(m room_members) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('user_id', m.user_id, 'role', m.role, 'joined_at', m.joined_at)
$f$;
