-- Answers the newest question of a chat anew for a client that names what it means: with p_content the question itself, which
-- becomes that text; without, the question or one of its answers, or nothing. An id is the server's (p_message) or the
-- client's own (p_client). Answers that the question has become superseded. Who asks again for what is under way, or names an
-- answer that a good one has superseded since, has lost the first reply: they get the run that there is.
-- status: ok · kept · other (what is named is not the newest) · no_room · nothing · busy · spent; the last two, and what comes
-- with ok and spent, are those of chat_answer_again
--
-- Locks: the room, the messages.
--
-- tables: messages, rooms
-- execute: tenant
CREATE FUNCTION chat_revise(
  p_tenant uuid, p_room uuid, p_run uuid, p_message uuid, p_client text, p_content text
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  asked messages;
  last runs;
  is_question boolean;
  is_answer boolean;
  is_under_way boolean;
  again jsonb;
  edited jsonb;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT * INTO asked FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.kind = 'user'
    AND m.seq >= room.first_seq AND m.deleted_at IS NULL ORDER BY m.seq DESC LIMIT 1;
  IF asked.seq IS NULL THEN RETURN jsonb_build_object('status', 'nothing'); END IF;
  SELECT * INTO last FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.reply_to_seq = asked.seq
    ORDER BY q.created_at DESC, q.run_id DESC LIMIT 1;
  is_question := COALESCE(asked.message_id = p_message, false) OR COALESCE(asked.client_message_id = p_client, false);
  is_answer := EXISTS (SELECT 1 FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.run_id = p_message
    AND q.reply_to_seq = asked.seq);
  is_under_way := COALESCE(last.state IN ('queued', 'streaming'), false);
  IF p_client IS NOT NULL AND NOT is_question AND (p_content IS NOT NULL OR NOT is_answer) THEN
    RETURN jsonb_build_object('status', 'other');
  END IF;
  IF (is_under_way AND COALESCE(p_content, asked.content) = asked.content)
    OR (is_answer AND p_message <> last.run_id AND last.error_code IS NULL) THEN
    RETURN jsonb_build_object('status', 'kept', 'run_id', last.run_id);
  END IF;
  again := chat_answer_again(p_tenant, p_room, p_run, NULL, NULL);
  -- There is a room and a question, so it can refuse for two reasons.
  again := again || jsonb_build_object('status',
    CASE again->>'status' WHEN 'ok' THEN 'ok' WHEN 'spent' THEN 'spent' ELSE 'busy' END);
  IF again->>'status' <> 'ok' OR COALESCE(p_content, asked.content) = asked.content THEN RETURN again; END IF;
  edited := message_edit(p_tenant, p_room, asked.message_id, asked.sender_id, p_content, NULL);
  IF edited->>'status' <> 'ok' THEN RAISE EXCEPTION 'the question could not be changed: %', edited->>'status'; END IF;
  RETURN jsonb_set(again, '{changed}', again->'changed' || jsonb_build_array(edited->'message'));
END $f$;
