-- A webhook gets a joining or a leaving by a job that the very statement stores which makes the change. Looks at one
-- row, by its key, and does nothing more for a tenant that did not ask for the event.
-- What an import makes (`app.import`) is told nobody. The append writes no room_events.
--
-- tables: jobs, room_events
-- execute: tenant
CREATE FUNCTION webhook_room_events() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT m.tenant_id, 'webhook.plan', m.room_id::text,
    jsonb_build_object('event', m.type, 'room_id', m.room_id, 'revs', jsonb_agg(m.rev ORDER BY m.rev))
  FROM made m JOIN webhooks w ON w.tenant_id = m.tenant_id
  WHERE w.url IS NOT NULL AND w.disabled_at IS NULL AND m.type IN ('member.joined', 'member.left')
    AND m.type = ANY (w.events) AND current_setting('app.import', true) IS DISTINCT FROM 'on'
  GROUP BY m.tenant_id, m.room_id, m.type;
  RETURN NULL;
END $f$;

CREATE TRIGGER webhook_events AFTER INSERT ON room_events REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION webhook_room_events();
