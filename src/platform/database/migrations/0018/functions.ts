/** Whether an answer may begin, and what it is asked with. Where a room is changed it is locked first. */
export const FUNCTIONS = `
-- Which budget of tokens of today (UTC) is spent, if any: null, or {limit, seconds_left}.
CREATE FUNCTION budget_spent(p_tenant uuid, p_user text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
DECLARE
  limits jsonb;
  per_tenant numeric;
  per_user numeric;
  spent numeric;
  spent_by_user numeric;
  day timestamptz := date_trunc('day', clock_timestamp(), 'UTC');
  which text;
BEGIN
  SELECT t.limits INTO limits FROM tenants t WHERE t.tenant_id = p_tenant;
  per_tenant := (limits->>'tokens_per_day')::numeric;
  per_user := (limits->>'tokens_per_user_per_day')::numeric;
  IF per_tenant IS NULL AND per_user IS NULL THEN RETURN NULL; END IF;
  SELECT COALESCE(sum(r.total_tokens), 0), COALESCE(sum(r.total_tokens) FILTER (WHERE r.user_id = p_user), 0)
    INTO spent, spent_by_user FROM runs r WHERE r.tenant_id = p_tenant AND r.ended_at >= day;
  which := CASE WHEN spent >= per_tenant THEN 'tokens_per_day' WHEN spent_by_user >= per_user
    THEN 'tokens_per_user_per_day' END;
  IF which IS NULL THEN RETURN NULL; END IF;
  RETURN jsonb_build_object('limit', which, 'seconds_left', ceil(extract(epoch FROM day + interval '1 day' - clock_timestamp())));
END $f$;

-- Answers a user's message once more: the newest one, or that of p_seq where its last run failed. Answers that it has
-- become superseded. p_options: with what the model is asked, as JSON text; null: as the last time.
-- status: ok · no_room · busy (an answer is under way) · nothing · kept (its last run did not fail) · spent (with limit
-- and seconds_left); run_id of the run
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
    AND m.deleted_at IS NULL AND (p_seq IS NULL OR m.seq = p_seq) ORDER BY m.seq DESC LIMIT 1;
  IF asked.seq IS NULL THEN RETURN jsonb_build_object('status', 'nothing'); END IF;
  SELECT * INTO last FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.reply_to_seq = asked.seq
    ORDER BY q.created_at DESC, q.run_id DESC LIMIT 1;
  IF p_seq IS NOT NULL AND last.run_id IS NOT NULL AND last.error_code IS NULL THEN
    RETURN jsonb_build_object('status', 'kept', 'run_id', last.run_id);
  END IF;
  IF p_seq IS NULL AND EXISTS (SELECT 1 FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room
    AND q.state IN ('queued', 'streaming')) THEN RETURN jsonb_build_object('status', 'busy'); END IF;
  spent := budget_spent(p_tenant, chat.user_id);
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

-- A worker takes the run: whoever took it before may write no more. status: started · lost (its worker died while it
-- streamed) · cancelled (before it began, or its question was deleted) · spent (a budget is, with limit: it has not begun) ·
-- ended · gone. p_options: what it is asked with, as JSON text; kept with the run.
CREATE FUNCTION run_begin(p_tenant uuid, p_run uuid, p_options text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  run runs;
  chat chats;
  spent jsonb;
  outcome text;
BEGIN
  SELECT * INTO run FROM runs q WHERE q.tenant_id = p_tenant AND q.run_id = p_run FOR UPDATE;
  IF run.run_id IS NULL THEN RETURN jsonb_build_object('status', 'gone'); END IF;
  SELECT * INTO chat FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  IF run.state NOT IN ('queued', 'streaming') THEN
    RETURN jsonb_build_object('status', CASE WHEN chat.deleted_at IS NULL THEN 'ended' ELSE 'gone' END);
  END IF;
  outcome := CASE WHEN run.state = 'streaming' THEN 'lost'
    WHEN run.is_cancelled OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = run.room_id
      AND m.seq = run.reply_to_seq AND m.deleted_at IS NOT NULL) THEN 'cancelled' ELSE 'started' END;
  IF outcome = 'started' THEN spent := budget_spent(p_tenant, run.user_id); END IF;
  IF spent IS NOT NULL THEN outcome := 'spent'; END IF;
  -- One that is refused stays queued until its refusal is stored: a crash in between asks once more.
  UPDATE runs q SET state = CASE WHEN outcome = 'spent' THEN q.state ELSE 'streaming' END, fence = q.fence + 1,
    started_at = COALESCE(q.started_at, clock_timestamp()), options = COALESCE(p_options::json, q.options)
  WHERE q.tenant_id = p_tenant AND q.run_id = p_run;
  UPDATE chats c SET active_at = clock_timestamp() WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  RETURN jsonb_build_object('status', outcome, 'fence', run.fence + 1, 'user_id', chat.user_id, 'preset', chat.preset,
    'cleared_seq', chat.cleared_seq, 'auto_title', chat.auto_title) || COALESCE(spent, '{}');
END $f$;

-- As of migration 0001; answers that a question waits for are cancelled with it, and named in \`runs\`.
CREATE OR REPLACE FUNCTION message_delete(p_tenant uuid, p_room uuid, p_message uuid, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  msg messages;
  role text;
  stopped jsonb;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  role := room_role(p_tenant, p_room, p_user);
  IF role IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  SELECT * INTO msg FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.message_id = p_message;
  IF msg.seq IS NULL THEN RETURN jsonb_build_object('status', 'no_message'); END IF;
  IF msg.sender_id <> p_user AND role <> 'admin' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  IF msg.deleted_at IS NOT NULL THEN
    RETURN jsonb_build_object('status', 'unchanged', 'message', message_json(msg));
  END IF;
  UPDATE rooms r SET last_rev = r.last_rev + 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE messages m SET content = '', meta = NULL, deleted_at = clock_timestamp(), rev = room.last_rev + 1
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = msg.seq RETURNING * INTO msg;
  IF room.type <> 'ai' THEN RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg)); END IF;
  WITH ended AS (
    UPDATE runs q SET is_cancelled = true WHERE q.tenant_id = p_tenant AND q.room_id = p_room
      AND q.reply_to_seq = msg.seq AND q.state IN ('queued', 'streaming') RETURNING q.run_id
  )
  SELECT COALESCE(jsonb_agg(e.run_id), '[]') INTO stopped FROM ended e;
  RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg), 'runs', stopped);
END $f$;
`;
