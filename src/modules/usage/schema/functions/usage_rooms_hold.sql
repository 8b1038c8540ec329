-- Takes the marks of rooms, so that nobody counts their messages until the transaction's end. Rooms that are gone have none.
--
-- Locks: the rooms in usage_rooms, in the order of their ids.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION usage_rooms_hold(p_tenant uuid, p_rooms uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO usage_rooms (tenant_id, room_id) SELECT p_tenant, r.room_id FROM rooms r
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (p_rooms) ORDER BY r.room_id ON CONFLICT DO NOTHING;
  PERFORM 1 FROM usage_rooms u WHERE u.tenant_id = p_tenant AND u.room_id = ANY (p_rooms)
  ORDER BY u.room_id FOR NO KEY UPDATE;
END $f$;
