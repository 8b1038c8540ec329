-- What sync reads of a cursor, for statements of rooms and of messages: a connection costs two statements then and not
-- four. Without SET, so that it is inlined.
--
-- execute: tenant
CREATE FUNCTION cursor_of(p_tenant uuid, p_room uuid, p_user text)
RETURNS TABLE (acked_seq bigint, read_seq bigint)
LANGUAGE sql STABLE AS $f$
  SELECT c.acked_seq, c.read_seq FROM cursors c
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user
$f$;
