-- Of a room that the feed has not met: a revision that it had before the feed began, or 0; what lies between that and the beginning
-- is told, too. A room is as it was then if no transaction has written it since. Else its newest message, or other change, of ten minutes
-- before is asked, in those that were never changed, whose revision is as old as they are: not edited, not deleted, and no answer that
-- another has superseded. What was imported is older than its revision: of such a room what came behind the import is asked.
--
-- tables: import_rooms, messages, room_events
-- execute: tenant
CREATE FUNCTION feed_base(p_feed tenant_feeds, p_room uuid, p_last_rev bigint, p_written bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
DECLARE
  now_at bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  written bigint := (now_at & ~4294967295) | p_written;
  before timestamptz := p_feed.began_at - interval '10 minutes';
  low bigint;
BEGIN
  -- A row has the last 32 bits of who wrote it, which lies before now.
  IF written > now_at THEN written := written - 4294967296; END IF;
  -- A feed that began after now is of another server, whose transactions had got further.
  IF p_feed.began_before <= now_at AND written < p_feed.began_before THEN RETURN p_last_rev; END IF;
  low := COALESCE((SELECT i.last_rev FROM import_rooms i WHERE i.tenant_id = p_feed.tenant_id AND i.room_id = p_room), 0);
  RETURN GREATEST(
    (SELECT w.rev FROM (SELECT m.rev, m.created_at, m.edited_at, m.deleted_at, m.status FROM messages m
        WHERE m.tenant_id = p_feed.tenant_id AND m.room_id = p_room AND m.rev > low ORDER BY m.rev DESC LIMIT 1000) w
      WHERE w.created_at < before AND w.edited_at IS NULL AND w.deleted_at IS NULL
        AND w.status IS DISTINCT FROM 'superseded' ORDER BY w.rev DESC LIMIT 1),
    (SELECT w.rev FROM (SELECT e.rev, e.created_at FROM room_events e
        WHERE e.tenant_id = p_feed.tenant_id AND e.room_id = p_room AND e.rev > low ORDER BY e.rev DESC LIMIT 1000) w
      WHERE w.created_at < before ORDER BY w.rev DESC LIMIT 1),
    0);
END $f$;
