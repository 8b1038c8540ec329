-- Statistics for a log that has outgrown the ones it has: a plan made on empty tables is several times slower, and
-- autovacuum comes only after a minute. p_rows: messages that the caller knows to be there. Only the tables' owner may
-- renew them.
--
-- tables: cursors, room_members, rooms
-- execute: system
CREATE FUNCTION log_analyze(p_rows bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
BEGIN
  IF (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'public.messages'::regclass) * 2 >= p_rows THEN
    RETURN false;
  END IF;
  ANALYZE rooms, room_members, messages, cursors;
  RETURN true;
END $f$;
