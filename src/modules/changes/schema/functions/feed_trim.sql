-- Deletes the oldest entries that are older than seven days, at most p_limit; where nobody has asked for as long, collecting ends, and
-- all of them go, and what the feed knows of rooms. Returns how many rows went.
--
-- Locks: the feed.
--
-- execute: tenant
CREATE FUNCTION feed_trim(p_tenant uuid, p_limit integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  feed tenant_feeds;
  before timestamptz := clock_timestamp() - interval '7 days';
  reached bigint;
  gone integer;
  forgotten integer := 0;
BEGIN
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF feed.tenant_id IS NULL THEN RETURN 0; END IF;
  IF feed.is_collected AND feed.asked_at < before THEN
    feed.is_collected := false;
    UPDATE tenant_feeds f SET is_collected = false WHERE f.tenant_id = p_tenant;
  END IF;
  WITH old AS (
    DELETE FROM tenant_feed e USING (SELECT x.no, x.created_at FROM tenant_feed x WHERE x.tenant_id = p_tenant
      ORDER BY x.no LIMIT p_limit) w
    WHERE e.tenant_id = p_tenant AND e.no = w.no
      AND (w.created_at < before OR w.no <= feed.gone_no OR NOT feed.is_collected)
    RETURNING e.no
  )
  SELECT max(o.no), count(*) INTO reached, gone FROM old o;
  UPDATE tenant_feeds f SET gone_no = reached WHERE f.tenant_id = p_tenant AND f.gone_no < reached;
  IF NOT feed.is_collected THEN
    DELETE FROM tenant_feed_rooms c WHERE c.tenant_id = p_tenant AND c.room_id = ANY (ARRAY(
      SELECT x.room_id FROM tenant_feed_rooms x WHERE x.tenant_id = p_tenant ORDER BY x.room_id LIMIT p_limit));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
  END IF;
  RETURN GREATEST(gone, forgotten);
END $f$;
