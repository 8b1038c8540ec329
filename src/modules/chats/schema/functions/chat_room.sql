-- What a chat shows of its room. Without SET, so that it is inlined.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION chat_room(p_tenant uuid, p_room uuid)
RETURNS TABLE (name text, metadata json, updated_at timestamptz, last_message_at timestamptz, message_count bigint,
  last_seq bigint)
LANGUAGE sql STABLE AS $f$
  SELECT r.name, r.metadata, r.updated_at, r.last_message_at, r.last_seq - r.first_seq + 1, r.last_seq
  FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL
$f$;
