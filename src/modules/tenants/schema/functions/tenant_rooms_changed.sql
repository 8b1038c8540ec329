-- Counts rooms that are made and rows that go. The append's update of a room fires none of the triggers on rooms.
-- A tenant that is being deleted is counted no more.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION tenant_rooms_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, rooms)
  SELECT c.tenant_id, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
  FROM changed c JOIN tenants t USING (tenant_id) WHERE c.deleted_at IS NULL AND t.deleting_since IS NULL
  GROUP BY c.tenant_id;
  IF TG_OP = 'INSERT' THEN
    PERFORM room_members_check(c.tenant_id, c.type, c.member_count) FROM changed c;
  END IF;
  RETURN NULL;
END $f$;

CREATE TRIGGER tenant_rooms_made AFTER INSERT ON rooms REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_rooms_changed();

CREATE TRIGGER tenant_rooms_gone AFTER DELETE ON rooms REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_rooms_changed();
