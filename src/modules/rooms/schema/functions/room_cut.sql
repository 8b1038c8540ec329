-- Moves where a room begins past what its retention has ended for: messages by `first_seq`, told as a change, other changes by
-- `first_rev`. The rows behind go later (docs/adr/0032). At most 50,000 messages at once where users of the tenant are held:
-- `more` says that there are others. A room that is marked as deleted ends like any other; nobody is told.
-- A room that an import is making is none yet. status: ok (with first_seq, more) · unchanged · held · no_room
--
-- Invariants
-- - A hold or a setting that is committed counts: what changes one takes the tenant's row, which is shared here until the
--   commit. So all is decided before the room is locked, and the room's lock is one update and one event long.
-- - `created_at` never falls as `seq` rises, and every seq that is kept exists: where to cut is found by halving.
--
-- Locks: the tenant (shared), the room.
--
-- tables: messages, tenants, users
-- execute: tenant
CREATE FUNCTION room_cut(p_tenant uuid, p_room uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  most CONSTANT bigint := 50000;
  room rooms;
  days integer;
  before timestamptz;
  low bigint;
  high bigint;
  middle bigint;
  stop bigint;
  events_through bigint;
  has_more boolean := false;
BEGIN
  SELECT (t.settings->>'retention_days')::integer INTO days FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  IF room.room_id IS NULL OR EXISTS (SELECT 1 FROM import_rooms i
    WHERE i.tenant_id = p_tenant AND i.room_id = p_room AND NOT i.is_done) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  IF room.legal_hold THEN RETURN jsonb_build_object('status', 'held'); END IF;
  before := clock_timestamp() - make_interval(days => COALESCE(room.retention_days, days));
  IF before IS NULL THEN RETURN jsonb_build_object('status', 'unchanged'); END IF;
  low := room.first_seq;
  high := room.last_seq + 1;
  WHILE low < high LOOP
    middle := (low + high) / 2;
    IF (SELECT m.created_at FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = middle) < before
      THEN low := middle + 1;
      ELSE high := middle;
    END IF;
  END LOOP;
  IF low > room.first_seq AND EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = p_tenant AND u.legal_hold) THEN
    has_more := low > room.first_seq + most;
    low := LEAST(low, room.first_seq + most);
    SELECT m.seq INTO stop FROM messages m
      WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq >= room.first_seq AND m.seq < low
        AND m.sender_id IN (SELECT u.user_id FROM users u WHERE u.tenant_id = p_tenant AND u.legal_hold)
      ORDER BY m.seq LIMIT 1;
    low := COALESCE(stop, low);
  END IF;
  -- Of a room in which a held user has written nothing goes that may tell what it was about.
  IF stop IS NULL THEN
    SELECT max(e.rev) INTO events_through FROM room_events e
      WHERE e.tenant_id = p_tenant AND e.room_id = p_room AND e.rev > room.first_rev AND e.created_at < before;
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF low <= room.first_seq THEN
    IF events_through > room.first_rev THEN
      UPDATE rooms r SET first_rev = events_through WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
    END IF;
    RETURN jsonb_build_object('status', CASE WHEN stop IS NULL THEN 'unchanged' ELSE 'held' END);
  END IF;
  UPDATE rooms r SET first_seq = low, first_rev = GREATEST(r.first_rev, events_through),
    last_rev = r.last_rev + CASE WHEN r.deleted_at IS NULL THEN 1 ELSE 0 END
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF room.deleted_at IS NULL THEN
    PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.trimmed',
      jsonb_build_array(jsonb_build_object('first_seq', low)));
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'first_seq', low, 'more', has_more AND stop IS NULL);
END $f$;
