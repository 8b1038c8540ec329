-- Answers a user's message once more: the newest one, or that of p_seq where its last run failed. Answers that it has
-- become superseded. p_options: with what the model is asked, as JSON text; null: as the last time.
-- status: ok · no_room · busy (an answer is under way) · nothing · kept (its last run did not fail) · spent (with limit
-- and seconds_left); run_id of the run
--
-- Locks: the room, the messages.
--
-- tables: jobs, messages, rooms
-- execute: tenant
CREATE FUNCTION chat_answer_again(p_tenant uuid, p_room uuid, p_run uuid, p_seq bigint, p_options text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  asked messages;
  last runs;
  chat chats;
  changed jsonb;
  spent jsonb;
  asked_with text;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT * INTO chat FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  SELECT * INTO asked FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.kind = 'user'
    AND m.seq >= room.first_seq AND m.deleted_at IS NULL AND (p_seq IS NULL OR m.seq = p_seq) ORDER BY m.seq DESC LIMIT 1;
  IF asked.seq IS NULL THEN RETURN jsonb_build_object('status', 'nothing'); END IF;
  SELECT * INTO last FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.reply_to_seq = asked.seq
    ORDER BY q.created_at DESC, q.run_id DESC LIMIT 1;
  IF p_seq IS NOT NULL AND last.run_id IS NOT NULL AND last.error_code IS NULL THEN
    RETURN jsonb_build_object('status', 'kept', 'run_id', last.run_id);
  END IF;
  IF p_seq IS NULL AND EXISTS (SELECT 1 FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room
    AND q.state IN ('queued', 'streaming')) THEN RETURN jsonb_build_object('status', 'busy'); END IF;
  spent := budget_spent(p_tenant, chat.user_id, p_room);
  IF spent IS NOT NULL THEN RETURN spent || jsonb_build_object('status', 'spent'); END IF;
  WITH old AS (
    SELECT m.seq, row_number() OVER (ORDER BY m.seq) AS n FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq > asked.seq AND m.reply_to_seq = asked.seq
      AND m.status <> 'superseded'
  ), done AS (
    UPDATE messages m SET status = 'superseded', rev = room.last_rev + old.n FROM old
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = old.seq RETURNING m.*
  )
  SELECT jsonb_agg(message_json(d) ORDER BY d.seq) INTO changed FROM done d;
  UPDATE rooms r SET last_rev = r.last_rev + COALESCE(jsonb_array_length(changed), 0)
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  asked_with := COALESCE(p_options, last.options::text);
  INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, options)
  VALUES (p_tenant, p_run, p_room, chat.user_id, asked.seq, asked_with::json);
  INSERT INTO jobs (tenant_id, kind, key, payload) VALUES (p_tenant, 'run', p_room::text, jsonb_strip_nulls(
    jsonb_build_object('run_id', p_run, 'room_id', p_room, 'user_id', chat.user_id, 'message_id', asked.message_id,
      'seq', asked.seq, 'options', asked_with)));
  RETURN jsonb_build_object('status', 'ok', 'run_id', p_run, 'seq', asked.seq, 'changed', COALESCE(changed, '[]'));
END $f$;
