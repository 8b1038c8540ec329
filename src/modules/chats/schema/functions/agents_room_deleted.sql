-- A room with agents was deleted, in whichever way: what they were about to say ends with it.
--
-- Locks: the runs.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION agents_room_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
  WHERE q.tenant_id = NEW.tenant_id AND q.room_id = NEW.room_id AND q.agent_id IS NOT NULL
    AND q.state IN ('queued', 'streaming');
  RETURN NULL;
END $f$;

CREATE TRIGGER agents_room_deleted AFTER UPDATE OF deleted_at ON rooms
FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL AND NEW.has_agents)
EXECUTE FUNCTION agents_room_deleted();
