-- The text of the message that has a seq, where the room keeps it and it is not deleted. For statements of other modules. Without SET, so that it is
-- inlined.
--
-- execute: tenant
CREATE FUNCTION message_text_at(p_tenant uuid, p_room uuid, p_seq bigint)
RETURNS TABLE (content text)
LANGUAGE sql STABLE AS $f$
  SELECT m.content FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = p_seq AND m.deleted_at IS NULL
    AND m.seq >= (SELECT k.first_seq FROM room_keeps(p_tenant, p_room) k)
$f$;
