-- Counts by how much a message that is edited or becomes a tombstone has grown or shrunk: today, by the database's clock.
-- One that is not counted yet will be, with its size of then: only that it had another one on an earlier day, the day on
-- which it was sent, is made up for. A change that alters no size does not come here.
--
-- Locks: the room in usage_rooms; the rows in usage_days are the transaction's own.
--
-- tables: messages
-- execute: tenant
CREATE FUNCTION usage_message_edited() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  counted bigint;
  today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  sent date := (NEW.created_at AT TIME ZONE 'UTC')::date;
  grown bigint := octet_length(NEW.content) + COALESCE(octet_length(NEW.meta::text), 0)
    - octet_length(OLD.content) - COALESCE(octet_length(OLD.meta::text), 0);
BEGIN
  SELECT u.counted_seq INTO counted FROM usage_rooms u
  WHERE u.tenant_id = NEW.tenant_id AND u.room_id = NEW.room_id FOR NO KEY UPDATE;
  IF counted IS NULL THEN
    PERFORM usage_rooms_hold(NEW.tenant_id, ARRAY[NEW.room_id]);
    SELECT u.counted_seq INTO counted FROM usage_rooms u WHERE u.tenant_id = NEW.tenant_id AND u.room_id = NEW.room_id;
    -- The room is gone.
    IF counted IS NULL THEN RETURN NULL; END IF;
  END IF;
  IF NEW.seq > counted THEN
    IF sent = today THEN RETURN NULL; END IF;
    INSERT INTO usage_days AS u (tenant_id, day, part, storage_delta)
    VALUES (NEW.tenant_id, sent, pg_backend_pid(), -grown)
    ON CONFLICT (tenant_id, day, part) DO UPDATE SET storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  END IF;
  INSERT INTO usage_days AS u (tenant_id, day, part, storage_delta)
  VALUES (NEW.tenant_id, today, pg_backend_pid(), grown)
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  RETURN NULL;
END $f$;

CREATE TRIGGER usage_edited AFTER UPDATE OF content, meta ON messages FOR EACH ROW
WHEN (octet_length(NEW.content) + COALESCE(octet_length(NEW.meta::text), 0)
  <> octet_length(OLD.content) + COALESCE(octet_length(OLD.meta::text), 0))
EXECUTE FUNCTION usage_message_edited();
