-- Which of these messages are in the log: asked after a connection was lost while a batch was being committed.
--
-- owner: append
-- execute: system
CREATE FUNCTION append_lookup(p_tenants uuid[], p_rooms uuid[], p_ids uuid[])
RETURNS TABLE (item integer, seq bigint, rev bigint, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
  SELECT u.ord::integer, m.seq, m.rev, m.created_at
  FROM unnest(p_tenants, p_rooms, p_ids) WITH ORDINALITY u(t, r, id, ord)
  JOIN messages m ON m.tenant_id = u.t AND m.room_id = u.r AND m.message_id = u.id
$f$;
