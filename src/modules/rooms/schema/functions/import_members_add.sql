-- Adds members to a room under construction; returns how many. p_rows: an array of members, as lines of an export have them.
--
-- Locks: the room, the users.
--
-- execute: tenant
CREATE FUNCTION import_members_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  added integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_at, joined_seq, member_no)
  SELECT p_tenant, p_room, x.user_id, x.role, x.joined_at, x.joined_seq, x.member_no
  FROM json_to_recordset(p_rows) x(user_id text, role text, joined_at timestamptz, joined_seq bigint, member_no bigint)
  ORDER BY x.user_id COLLATE "C" ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $f$;
