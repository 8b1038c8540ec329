-- Changes of a tenant after a position in its feed: entries up to p_no, and of the next one what lies up to p_rev; null: where the
-- feed stands. All of one snapshot. Of entries that are looked at in vain there may be 200 in a page: it may be empty and not the last.
-- Changes that a room keeps no more (rooms.first_rev) cannot be told: whoever lies before them is told, once and in their place, that
-- the room is to be read anew. Of a room that was deleted only that is told, also where its event, or its row, is no more.
-- status: ok (`items`; `no`, `rev`: the position behind them; `more`) · gone (a position whose entries are kept no more) · off (nothing is
-- collected, or of another epoch). `stale`: it is to be said that somebody asks.
--
-- tables: messages, room_events, rooms
-- execute: tenant
CREATE FUNCTION feed_page(p_tenant uuid, p_epoch bigint, p_no bigint, p_rev bigint, p_limit integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
DECLARE
  feed tenant_feeds;
  entry tenant_feed;
  items jsonb := '[]';
  found jsonb;
  low bigint;
  room rooms;
  is_deleted boolean;
  missed bigint;
  at_no bigint := p_no;
  at_rev bigint := COALESCE(p_rev, 0);
  n integer := 0;
  looked integer := 0;
BEGIN
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant;
  IF feed.is_collected IS NOT TRUE OR feed.epoch <> p_epoch THEN RETURN jsonb_build_object('status', 'off'); END IF;
  IF p_no < feed.gone_no OR p_no > feed.last_no THEN RETURN jsonb_build_object('status', 'gone', 'no', feed.last_no); END IF;
  IF p_no IS NULL THEN
    at_no := feed.last_no;
    at_rev := 0;
  END IF;
  FOR entry IN SELECT * FROM tenant_feed e WHERE e.tenant_id = p_tenant AND e.no > at_no ORDER BY e.no LIMIT 200 LOOP
    EXIT WHEN n >= p_limit;
    low := GREATEST(entry.from_rev, at_rev);
    SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = entry.room_id;
    is_deleted := room.room_id IS NULL OR room.deleted_at IS NOT NULL;
    -- An entry of before is passed over: that in which first_rev lies is still to come, and is read in its stead.
    missed := CASE WHEN room.room_id IS NULL THEN entry.to_rev
      WHEN low < room.first_rev AND room.first_rev <= entry.to_rev THEN room.first_rev END;
    low := GREATEST(low, room.first_rev);
    SELECT jsonb_agg(c.item ORDER BY c.rev), COALESCE(max(c.rev), 0) INTO found, at_rev FROM (
      (SELECT missed AS rev, jsonb_build_object('room_id', entry.room_id, 'rev', missed, 'type',
          CASE WHEN is_deleted THEN 'room.deleted' ELSE 'room.reset' END) AS item WHERE missed IS NOT NULL)
      UNION ALL
      (SELECT m.rev, jsonb_build_object('room_id', m.room_id, 'rev', m.rev, 'message', message_json(m), 'type',
          CASE WHEN m.deleted_at IS NOT NULL THEN 'message.deleted' WHEN m.edited_at IS NOT NULL THEN 'message.updated'
            ELSE 'message' END) AS item
        FROM messages m
        WHERE m.tenant_id = p_tenant AND m.room_id = entry.room_id AND m.rev > low AND m.rev <= entry.to_rev
          AND m.seq >= room.first_seq AND NOT is_deleted ORDER BY m.rev LIMIT p_limit - n)
      UNION ALL
      (SELECT e.rev, jsonb_build_object('room_id', e.room_id, 'rev', e.rev, 'type', e.type, 'payload', e.payload) FROM room_events e
        WHERE e.tenant_id = p_tenant AND e.room_id = entry.room_id AND e.rev > low AND e.rev <= entry.to_rev
          AND (NOT is_deleted OR e.type = 'room.deleted') ORDER BY e.rev LIMIT p_limit - n)
      UNION ALL
      (SELECT s.rev, jsonb_build_object('room_id', entry.room_id, 'rev', s.rev, 'type', s.type, 'payload', s.payload)
        FROM message_states_after(p_tenant, entry.room_id, low, room.first_seq, NULL, p_limit - n) s
        WHERE room.has_states AND s.rev <= entry.to_rev AND NOT is_deleted
        ORDER BY s.rev LIMIT p_limit - n)
      ORDER BY rev LIMIT p_limit - n) c;
    looked := looked + 1;
    IF found IS NOT NULL THEN
      items := items || found;
      n := n + jsonb_array_length(found);
    END IF;
    -- With a page that is full something of the entry may be left.
    EXIT WHEN n >= p_limit AND at_rev < entry.to_rev;
    at_no := entry.no;
    at_rev := 0;
  END LOOP;
  RETURN jsonb_build_object('status', 'ok', 'items', items, 'no', at_no, 'rev', at_rev, 'more', at_no < feed.last_no,
    'stale', feed.asked_at < clock_timestamp() - interval '1 hour');
END $f$;
