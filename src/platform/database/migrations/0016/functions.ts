/** What migration 0016 makes. */
export const RESTORE_FUNCTIONS = `
-- Raises the installation's epoch and returns the one in force. p_seen: the epoch that the caller found wrong; where
-- another one is in force already nothing is changed (compare and set); null: whatever it is. Of one backup that is
-- restored twice the epochs differ: the clock stands between them, and a second is used up before its epoch is known.
CREATE FUNCTION raise_epoch(p_seen bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  now_epoch bigint;
  since timestamptz := clock_timestamp();
BEGIN
  UPDATE instance i SET epoch = GREATEST(i.epoch + 1, floor(extract(epoch FROM since))::bigint)
  WHERE p_seen IS NULL OR i.epoch = p_seen RETURNING i.epoch INTO now_epoch;
  IF now_epoch IS NOT NULL THEN
    PERFORM pg_sleep(extract(epoch FROM date_trunc('second', since) + interval '1 second' - clock_timestamp()));
    RETURN now_epoch;
  END IF;
  SELECT i.epoch INTO now_epoch FROM instance i;
  RETURN now_epoch;
END $f$;

-- The message that has a seq; and what is kept of a room: messages from first_seq on, changes after first_rev. For
-- statements of other modules. Without SET, so that they are inlined.
CREATE FUNCTION message_at(p_tenant uuid, p_room uuid, p_seq bigint)
RETURNS TABLE (message_id uuid)
LANGUAGE sql STABLE AS $f$
  SELECT m.message_id FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = p_seq
$f$;

CREATE FUNCTION room_keeps(p_tenant uuid, p_room uuid)
RETURNS TABLE (first_seq bigint, first_rev bigint)
LANGUAGE sql STABLE AS $f$
  SELECT r.first_seq, r.first_rev FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room
$f$;

-- A room as clients get it: with where its log begins.
CREATE OR REPLACE FUNCTION room_json(r rooms) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT to_jsonb(r) - 'tenant_id' - 'members_added' - 'deleted_at' - 'first_rev'
$f$;

-- Deletes the messages before p_first_seq, so that the log begins there (at most right after the last one), and tells
-- it as a change. Who deletes much calls it in steps: the room is locked meanwhile. status: ok · unchanged · no_room
CREATE FUNCTION room_trim(p_tenant uuid, p_room uuid, p_first_seq bigint)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF LEAST(p_first_seq, room.last_seq + 1) <= room.first_seq THEN
    RETURN jsonb_build_object('status', 'unchanged', 'first_seq', room.first_seq);
  END IF;
  UPDATE rooms r SET first_seq = LEAST(p_first_seq, r.last_seq + 1), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  DELETE FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq < room.first_seq;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.trimmed',
    jsonb_build_array(jsonb_build_object('first_seq', room.first_seq)));
  RETURN jsonb_build_object('status', 'ok', 'first_seq', room.first_seq, 'rev', room.last_rev);
END $f$;
`;
