-- Numbers what has changed in these rooms since they were collected last; of how many there was something. What a room has got up to is
-- what is committed when this looks, under the lock of the feed: called for a room in which nothing is new, or twice at once, it
-- does nothing more. A room that an import is making is none yet. Of one that is no more, but was known, there is a last entry.
--
-- Locks: the feed. Rooms are read.
--
-- tables: import_rooms, rooms
-- execute: tenant
CREATE FUNCTION feed_collect(p_tenant uuid, p_rooms uuid[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  feed tenant_feeds;
  made integer;
BEGIN
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF feed.is_collected IS NOT TRUE THEN RETURN 0; END IF;
  WITH heads AS MATERIALIZED (
    SELECT r.room_id, r.last_rev, c.collected_rev,
      COALESCE(c.collected_rev, feed_base(feed, r.room_id, r.last_rev, r.written)) AS from_rev
    FROM (SELECT DISTINCT u.room_id FROM unnest(p_rooms) u(room_id)) u
    CROSS JOIN LATERAL (SELECT x.room_id, x.last_rev, x.xmin::text::bigint AS written FROM rooms x
      WHERE x.tenant_id = p_tenant AND x.room_id = u.room_id OFFSET 0) r
    LEFT JOIN LATERAL (SELECT x.collected_rev FROM tenant_feed_rooms x
      WHERE x.tenant_id = p_tenant AND x.room_id = u.room_id OFFSET 0) c ON true
    WHERE NOT EXISTS (SELECT 1 FROM import_rooms i
      WHERE i.tenant_id = p_tenant AND i.room_id = u.room_id AND NOT i.is_done)
  ), gone AS (
    DELETE FROM tenant_feed_rooms c WHERE c.tenant_id = p_tenant AND c.room_id = ANY (p_rooms)
      AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = c.room_id)
    RETURNING c.room_id, c.collected_rev
  ), ranges AS (
    SELECT h.room_id, h.from_rev, h.last_rev AS to_rev FROM heads h WHERE h.last_rev > h.from_rev
    UNION ALL
    SELECT g.room_id, g.collected_rev, g.collected_rev + 1 FROM gone g
  ), marked AS (
    INSERT INTO tenant_feed_rooms (tenant_id, room_id, collected_rev)
    SELECT p_tenant, h.room_id, h.last_rev FROM heads h WHERE h.collected_rev IS DISTINCT FROM h.last_rev ORDER BY h.room_id
    ON CONFLICT (tenant_id, room_id) DO UPDATE SET collected_rev = EXCLUDED.collected_rev
  ), entries AS (
    INSERT INTO tenant_feed (tenant_id, no, room_id, from_rev, to_rev)
    SELECT p_tenant, feed.last_no + row_number() OVER (ORDER BY w.room_id), w.room_id, w.from_rev, w.to_rev
    FROM ranges w
    RETURNING 1
  )
  SELECT count(*) INTO made FROM entries;
  IF made > 0 THEN
    UPDATE tenant_feeds f SET last_no = feed.last_no + made WHERE f.tenant_id = p_tenant;
  END IF;
  RETURN made;
END $f$;
