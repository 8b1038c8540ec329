-- A new room is sent to a webhook by a job that the very statement stores which makes the room. Looks at one row, by its
-- key, and does nothing more for a tenant that did not ask for the event.
-- What an import makes (`app.import`) is told nobody. The append does not write rooms anew.
--
-- tables: jobs, rooms
-- execute: tenant
CREATE FUNCTION webhook_room_created() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT m.tenant_id, 'webhook.plan', m.room_id::text,
    jsonb_build_object('event', 'room.created', 'room_id', m.room_id)
  FROM made m JOIN webhooks w ON w.tenant_id = m.tenant_id
  WHERE w.url IS NOT NULL AND w.disabled_at IS NULL AND 'room.created' = ANY (w.events)
    AND current_setting('app.import', true) IS DISTINCT FROM 'on';
  RETURN NULL;
END $f$;

CREATE TRIGGER webhook_created AFTER INSERT ON rooms REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION webhook_room_created();
