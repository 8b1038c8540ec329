-- The message that has a seq. For statements of other modules. Without SET, so that it is inlined.
--
-- execute: tenant
CREATE FUNCTION message_at(p_tenant uuid, p_room uuid, p_seq bigint)
RETURNS TABLE (message_id uuid)
LANGUAGE sql STABLE AS $f$
  SELECT m.message_id FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = p_seq
$f$;
