-- Adds messages to a room that an import is making, as they were: with their seq, rev and times. To any other room it adds nothing,
-- and nothing that is there already: what lies up to the room's last seq is passed over. Returns how many it has added. p_rows: an
-- array of messages in order of seq, `body_hash` in hex.
--
-- Locks: the room.
--
-- tables: import_rooms, rooms
-- owner: append
-- execute: system
CREATE FUNCTION messages_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
DECLARE
  reached bigint;
  added integer;
BEGIN
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF NOT FOUND OR NOT EXISTS (SELECT 1 FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = p_room
      AND i.import_id = p_import AND NOT i.is_done) THEN
    RETURN 0;
  END IF;
  SELECT COALESCE(max(m.seq), 0) INTO reached FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room;
  INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, meta, client_message_id, body_hash,
    kind, status, reply_to_seq, created_at, edited_at, deleted_at)
  SELECT p_tenant, p_room, x.seq, x.message_id, x.rev, x.sender_id, x.content, x.meta, x.client_message_id,
    decode(x.body_hash, 'hex'), x.role, x.status, x.reply_to_seq, x.created_at, x.edited_at, x.deleted_at
  FROM json_to_recordset(p_rows) x(seq bigint, message_id uuid, rev bigint, sender_id text, content text, meta json,
    client_message_id text, body_hash text, role text, status text, reply_to_seq bigint, created_at timestamptz,
    edited_at timestamptz, deleted_at timestamptz)
  WHERE x.seq > reached ORDER BY x.seq;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $f$;
