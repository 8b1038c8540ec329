-- The message stays as a tombstone without its states, and under a legal hold as it was, too (message_hold); its versions, and what a
-- model thought, go. What the room keeps no more is no message. `audit`: what an admin has done to another's, for audit_result;
-- in a chat the other is a model. Answers that a
-- question waits for are cancelled with it, and named in `runs`.
-- status: ok · unchanged · no_room · no_message · forbidden
--
-- Locks: the room, the message, its runs.
--
-- tables: rooms, runs
-- execute: tenant
CREATE FUNCTION message_delete(p_tenant uuid, p_room uuid, p_message uuid, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  msg messages;
  role text;
  stopped jsonb;
  told jsonb := '{}';
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  role := room_role(p_tenant, p_room, p_user);
  IF role IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  SELECT * INTO msg FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.message_id = p_message;
  IF msg.seq IS NULL OR msg.seq < room.first_seq THEN RETURN jsonb_build_object('status', 'no_message'); END IF;
  IF msg.sender_id <> p_user AND role <> 'admin' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  IF msg.deleted_at IS NOT NULL THEN
    RETURN jsonb_build_object('status', 'unchanged', 'message', message_json(msg));
  END IF;
  IF msg.sender_id <> p_user AND room.type <> 'ai' THEN
    told := jsonb_build_object('audit', jsonb_build_object('user', msg.sender_id));
  END IF;
  PERFORM message_hold(room, msg);
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = p_room AND v.seq = msg.seq;
  UPDATE rooms r SET last_rev = r.last_rev + 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE messages m SET content = '', meta = NULL, deleted_at = clock_timestamp(), rev = room.last_rev + 1
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = msg.seq RETURNING * INTO msg;
  IF room.has_states THEN PERFORM message_states_drop(p_tenant, p_room, ARRAY[msg.seq]); END IF;
  IF room.type <> 'ai' AND room.has_agents IS NULL THEN
    RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg)) || told;
  END IF;
  -- Under a hold it goes with what is held.
  UPDATE runs q SET reasoning = NULL WHERE q.tenant_id = p_tenant AND q.run_id = p_message AND q.reasoning IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM held_messages h
      WHERE h.tenant_id = p_tenant AND h.room_id = p_room AND h.seq = msg.seq);
  WITH ended AS (
    UPDATE runs q SET is_cancelled = true WHERE q.tenant_id = p_tenant AND q.room_id = p_room
      AND q.reply_to_seq = msg.seq AND q.state IN ('queued', 'streaming') RETURNING q.run_id
  )
  SELECT COALESCE(jsonb_agg(e.run_id), '[]') INTO stopped FROM ended e;
  RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg), 'runs', stopped) || told;
END $f$;
