-- Adds the sizes of messages that an import has brought into a room that it is making to what is stored, today by the database's
-- clock, and moves the room's mark past them: they were sent elsewhere, so nobody is counted as their sender here. At most p_limit
-- messages; returns how many there were.
--
-- Locks: the room, its row in usage_rooms; the row in usage_days is the transaction's own.
--
-- tables: messages
-- execute: tenant
CREATE FUNCTION usage_room_imported(p_tenant uuid, p_room uuid, p_import uuid, p_limit integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  counted bigint;
  reached bigint;
  bytes bigint;
  n integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  PERFORM usage_rooms_hold(p_tenant, ARRAY[p_room]);
  SELECT u.counted_seq INTO counted FROM usage_rooms u WHERE u.tenant_id = p_tenant AND u.room_id = p_room;
  SELECT count(*), max(f.seq), sum(octet_length(f.content) + COALESCE(octet_length(f.meta::text), 0))
    INTO n, reached, bytes FROM (SELECT m.seq, m.content, m.meta FROM messages m
      WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq > counted ORDER BY m.seq LIMIT p_limit) f;
  IF n = 0 THEN RETURN 0; END IF;
  UPDATE usage_rooms u SET counted_seq = reached WHERE u.tenant_id = p_tenant AND u.room_id = p_room;
  INSERT INTO usage_days AS u (tenant_id, day, part, storage_delta)
  VALUES (p_tenant, (clock_timestamp() AT TIME ZONE 'UTC')::date, pg_backend_pid(), bytes)
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  RETURN n;
END $f$;
