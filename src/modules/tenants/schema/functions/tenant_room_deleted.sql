-- A deleted room keeps its row, and is counted no more. A tenant that is being deleted is not counted at all.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION tenant_room_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, rooms)
  SELECT t.tenant_id, CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END FROM tenants t
  WHERE t.tenant_id = NEW.tenant_id AND t.deleting_since IS NULL;
  RETURN NULL;
END $f$;

CREATE TRIGGER tenant_room_deleted AFTER UPDATE OF deleted_at ON rooms FOR EACH ROW
WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION tenant_room_deleted();
