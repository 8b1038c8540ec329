-- Makes the users of an import that are not there yet, with the times that they had; those that are there stay as they are.
-- Returns how many it has made. p_rows: an array of users, as lines of an export have them.
--
-- Locks: the users, in the order of their ids.
--
-- execute: tenant
CREATE FUNCTION users_import(p_tenant uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  made integer;
BEGIN
  INSERT INTO users (tenant_id, user_id, profile, created_at, last_seen_at, first_socket_at, legal_hold)
  SELECT p_tenant, x.user_id, x.profile, x.created_at, x.last_seen_at, x.first_socket_at, x.legal_hold
  FROM json_to_recordset(p_rows) x(user_id text, profile jsonb, created_at timestamptz, last_seen_at timestamptz,
    first_socket_at timestamptz, legal_hold boolean)
  ORDER BY x.user_id COLLATE "C" ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $f$;
