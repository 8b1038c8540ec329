/**
 * What changes of rooms are told to a webhook is stored as a job by the very statement that makes the change. Both
 * triggers look at one row, by its key, and do nothing more for a tenant that did not ask for the event. Neither table
 * is written by the append.
 */
export const TRIGGERS = `
CREATE FUNCTION webhook_room_created() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT m.tenant_id, 'webhook.plan', m.room_id::text,
    jsonb_build_object('event', 'room.created', 'room_id', m.room_id)
  FROM made m JOIN webhooks w ON w.tenant_id = m.tenant_id
  WHERE w.url IS NOT NULL AND w.disabled_at IS NULL AND 'room.created' = ANY (w.events);
  RETURN NULL;
END $f$;
CREATE TRIGGER webhook_created AFTER INSERT ON rooms REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION webhook_room_created();

CREATE FUNCTION webhook_room_events() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT m.tenant_id, 'webhook.plan', m.room_id::text,
    jsonb_build_object('event', m.type, 'room_id', m.room_id, 'revs', jsonb_agg(m.rev ORDER BY m.rev))
  FROM made m JOIN webhooks w ON w.tenant_id = m.tenant_id
  WHERE w.url IS NOT NULL AND w.disabled_at IS NULL AND m.type IN ('member.joined', 'member.left')
    AND m.type = ANY (w.events)
  GROUP BY m.tenant_id, m.room_id, m.type;
  RETURN NULL;
END $f$;
CREATE TRIGGER webhook_events AFTER INSERT ON room_events REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION webhook_room_events();
`;
