-- An agent has gone, with its member: what it was about to say ends without a message, in the same transaction. So whatever
-- takes the member away leaves no run open.
--
-- Locks: its runs, the room.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION agent_gone() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
  WHERE q.tenant_id = OLD.tenant_id AND q.room_id = OLD.room_id AND q.agent_id = OLD.agent_id
    AND q.state IN ('queued', 'streaming');
  UPDATE rooms r SET has_agents = NULL WHERE r.tenant_id = OLD.tenant_id AND r.room_id = OLD.room_id
    AND NOT EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = OLD.tenant_id AND a.room_id = OLD.room_id);
  RETURN NULL;
END $f$;

CREATE TRIGGER agent_gone AFTER DELETE ON room_agents FOR EACH ROW EXECUTE FUNCTION agent_gone();
