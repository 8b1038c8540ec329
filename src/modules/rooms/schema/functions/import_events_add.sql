-- Adds changes that are no messages to a room under construction; returns how many. `app.import` keeps webhooks away. p_rows: an
-- array of events, as lines of an export have them.
--
-- Locks: the room.
--
-- execute: tenant
CREATE FUNCTION import_events_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  added integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  PERFORM set_config('app.import', 'on', true);
  INSERT INTO room_events (tenant_id, room_id, rev, type, payload, created_at)
  SELECT p_tenant, p_room, x.rev, x.type, x.payload, x.created_at
  FROM json_to_recordset(p_rows) x(rev bigint, type text, payload jsonb, created_at timestamptz)
  ORDER BY x.rev ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $f$;
