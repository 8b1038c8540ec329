-- Looks at the rooms after one, in the order of their ids, and collects those that have got further than the feed, and those that it
-- knows and that are no more. Answers with the last one that it has looked at; null: there are no others.
--
-- Locks: the feed, where a room is collected.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION feed_sweep(p_tenant uuid, p_after uuid, p_limit integer) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  behind uuid := COALESCE(p_after, '00000000-0000-0000-0000-000000000000');
  through uuid;
  others uuid[];
BEGIN
  SELECT max(w.room_id::text)::uuid, array_agg(w.room_id) FILTER (WHERE w.last_rev IS DISTINCT FROM w.collected_rev)
    INTO through, others
    FROM (SELECT n.room_id, r.last_rev, c.collected_rev FROM (
        (SELECT x.room_id FROM rooms x WHERE x.tenant_id = p_tenant AND x.room_id > behind ORDER BY x.room_id LIMIT p_limit)
        UNION
        (SELECT x.room_id FROM tenant_feed_rooms x WHERE x.tenant_id = p_tenant AND x.room_id > behind
          ORDER BY x.room_id LIMIT p_limit)
        ORDER BY room_id LIMIT p_limit) n
      LEFT JOIN LATERAL (SELECT y.last_rev FROM rooms y
        WHERE y.tenant_id = p_tenant AND y.room_id = n.room_id OFFSET 0) r ON true
      LEFT JOIN LATERAL (SELECT y.collected_rev FROM tenant_feed_rooms y
        WHERE y.tenant_id = p_tenant AND y.room_id = n.room_id OFFSET 0) c ON true) w;
  IF others IS NOT NULL THEN PERFORM feed_collect(p_tenant, others); END IF;
  IF through IS NULL THEN
    UPDATE tenant_feeds f SET swept_at = clock_timestamp() WHERE f.tenant_id = p_tenant;
  END IF;
  RETURN through;
END $f$;
