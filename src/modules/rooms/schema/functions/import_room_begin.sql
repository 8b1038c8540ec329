-- Makes a room under construction: marked as deleted, without a key, a member or a message. `app.import` keeps webhooks away.
-- p_row: a room, as a line of an export has it. `reached`: up to which seq its messages are there.
-- status: ok · done (an import has made it before) · taken (there is such a room that this import did not make)
--
-- Locks: the room that it makes.
--
-- tables: messages
-- execute: tenant
CREATE FUNCTION import_room_begin(p_tenant uuid, p_room uuid, p_import uuid, p_row json)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  made import_rooms;
BEGIN
  INSERT INTO import_rooms (tenant_id, room_id, import_id) VALUES (p_tenant, p_room, p_import) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM set_config('app.import', 'on', true);
    INSERT INTO rooms (tenant_id, room_id, type, name, metadata, posting, legal_hold, created_at, updated_at, deleted_at)
    SELECT p_tenant, p_room, x.type, x.name, x.metadata, x.posting, x.legal_hold, x.created_at, x.updated_at,
      clock_timestamp()
    FROM json_to_record(p_row) x(type text, name text, metadata json, posting text, legal_hold boolean,
      created_at timestamptz, updated_at timestamptz)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      DELETE FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = p_room;
      RETURN jsonb_build_object('status', 'taken');
    END IF;
  END IF;
  SELECT * INTO made FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = p_room;
  IF made.is_done THEN RETURN jsonb_build_object('status', 'done'); END IF;
  IF made.import_id IS DISTINCT FROM p_import THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok', 'reached', (SELECT COALESCE(max(m.seq), 0) FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room));
END $f$;
