-- Asks for `members_per_room` where members are added. The append's update of a room names no column of this trigger.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION tenant_room_grown() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  PERFORM room_members_check(NEW.tenant_id, NEW.type, NEW.member_count);
  RETURN NULL;
END $f$;

CREATE TRIGGER tenant_room_grown AFTER UPDATE OF member_count ON rooms FOR EACH ROW
WHEN (NEW.member_count > OLD.member_count) EXECUTE FUNCTION tenant_room_grown();
