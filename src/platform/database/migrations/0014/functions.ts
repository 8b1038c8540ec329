/**
 * Changes of chats and runs: one call each, as everywhere (docs/adr/0005). Where a room is changed it is locked first.
 */
export const FUNCTIONS = `
-- What a chat shows of its room. Without SET, so that it is inlined.
CREATE FUNCTION chat_room(p_tenant uuid, p_room uuid)
RETURNS TABLE (name text, metadata jsonb, updated_at timestamptz, last_message_at timestamptz, message_count bigint)
LANGUAGE sql STABLE AS $f$
  SELECT r.name, r.metadata, r.updated_at, r.last_message_at, r.last_seq - r.first_seq + 1
  FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL
$f$;

CREATE FUNCTION chat_json(p_tenant uuid, p_room uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('room_id', c.room_id, 'user_id', c.user_id, 'group_id', c.group_id, 'preset', c.preset,
    'created_at', c.created_at, 'name', r.name, 'metadata', r.metadata, 'updated_at', r.updated_at,
    'last_message_at', r.last_message_at, 'message_count', r.message_count)
  FROM chats c CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room
$f$;

-- With p_active: the active conversation if there is one, else a new one that becomes it; calls that race take turns.
CREATE FUNCTION chat_create(
  p_tenant uuid, p_room uuid, p_user text, p_group text, p_preset text, p_agent text, p_title text, p_metadata jsonb,
  p_auto_title boolean, p_active boolean
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  existing uuid;
BEGIN
  IF p_active THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('chat ' || jsonb_build_array(p_tenant, p_user, p_group, p_preset)::text, 0));
    SELECT c.room_id INTO existing FROM chats c WHERE c.tenant_id = p_tenant AND c.user_id = p_user
      AND COALESCE(c.group_id, '') = COALESCE(p_group, '') AND c.preset = p_preset AND c.is_active;
    IF existing IS NOT NULL THEN
      RETURN jsonb_build_object('status', 'ok', 'made', false, 'chat', chat_json(p_tenant, existing));
    END IF;
  END IF;
  PERFORM users_ensure(p_tenant, ARRAY[p_user, p_agent]);
  INSERT INTO rooms (tenant_id, room_id, type, name, metadata, member_count, members_added)
  VALUES (p_tenant, p_room, 'ai', p_title, p_metadata, 2, 2);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  VALUES (p_tenant, p_room, p_user, 'member', 0, 1), (p_tenant, p_room, p_agent, 'agent', 0, 2);
  INSERT INTO chats (tenant_id, room_id, user_id, group_id, preset, auto_title, is_active)
  VALUES (p_tenant, p_room, p_user, p_group, p_preset, p_auto_title, p_active);
  RETURN jsonb_build_object('status', 'ok', 'made', true, 'chat', chat_json(p_tenant, p_room));
END $f$;

-- p_only_auto: only while the title is one that was made. status: ok · no_room · too_large · kept
CREATE FUNCTION chat_update(
  p_tenant uuid, p_room uuid, p_title text, p_metadata jsonb, p_max_bytes integer, p_only_auto boolean
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  merged jsonb;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF p_only_auto AND NOT (SELECT c.auto_title FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = p_room) THEN
    RETURN jsonb_build_object('status', 'kept');
  END IF;
  merged := CASE WHEN p_metadata IS NULL THEN room.metadata ELSE
    (COALESCE(room.metadata, '{}') - COALESCE((SELECT array_agg(key) FROM jsonb_each(p_metadata)), '{}'))
    || jsonb_strip_top_nulls(p_metadata) END;
  IF p_metadata IS NOT NULL AND json_bytes(merged) > p_max_bytes THEN
    RETURN jsonb_build_object('status', 'too_large');
  END IF;
  UPDATE rooms r SET name = COALESCE(p_title, r.name), metadata = merged, last_rev = r.last_rev + 1,
    updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF p_title IS NOT NULL THEN
    UPDATE chats c SET auto_title = false WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  END IF;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'chat', chat_json(p_tenant, p_room));
END $f$;

-- Answers that are under way are told to stop; what they have is not stored any more. status: ok · no_room
CREATE FUNCTION chat_delete(p_tenant uuid, p_room uuid, p_by text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  UPDATE rooms r SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
  WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.state IN ('queued', 'streaming');
  UPDATE chats c SET deleted_at = clock_timestamp(), is_active = false
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  PERFORM room_log(p_tenant, p_room, room.last_rev, 'room.deleted',
    jsonb_build_array(jsonb_build_object('room_id', p_room, 'by', p_by)));
  RETURN jsonb_build_object('status', 'ok');
END $f$;

-- status: ok · no_room
CREATE FUNCTION chat_clear(p_tenant uuid, p_room uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  UPDATE chats c SET cleared_seq = room.last_seq WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok');
END $f$;

-- Answers a user's message once more: the newest one, or that of p_seq where its last run failed. Answers that it has
-- become superseded.
-- status: ok · no_room · busy (an answer is under way) · nothing · kept (its last run did not fail); run_id of the run
CREATE FUNCTION chat_answer_again(p_tenant uuid, p_room uuid, p_run uuid, p_seq bigint)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  asked messages;
  last runs;
  chat chats;
  changed jsonb;
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
  INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq)
  VALUES (p_tenant, p_run, p_room, chat.user_id, asked.seq);
  INSERT INTO jobs (tenant_id, kind, key, payload) VALUES (p_tenant, 'run', p_room::text, jsonb_build_object(
    'run_id', p_run, 'room_id', p_room, 'user_id', chat.user_id, 'message_id', asked.message_id, 'seq', asked.seq));
  RETURN jsonb_build_object('status', 'ok', 'run_id', p_run, 'seq', asked.seq, 'changed', COALESCE(changed, '[]'));
END $f$;

-- A worker takes the run: whoever took it before may write no more. status: started · lost (its worker died while it
-- streamed) · cancelled (before it began) · ended · gone
CREATE FUNCTION run_begin(p_tenant uuid, p_run uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  run runs;
  chat chats;
BEGIN
  SELECT * INTO run FROM runs q WHERE q.tenant_id = p_tenant AND q.run_id = p_run FOR UPDATE;
  IF run.run_id IS NULL THEN RETURN jsonb_build_object('status', 'gone'); END IF;
  SELECT * INTO chat FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  IF run.state NOT IN ('queued', 'streaming') THEN
    RETURN jsonb_build_object('status', CASE WHEN chat.deleted_at IS NULL THEN 'ended' ELSE 'gone' END);
  END IF;
  UPDATE runs q SET state = 'streaming', fence = q.fence + 1, started_at = COALESCE(q.started_at, clock_timestamp())
  WHERE q.tenant_id = p_tenant AND q.run_id = p_run;
  UPDATE chats c SET active_at = clock_timestamp() WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  RETURN jsonb_build_object('fence', run.fence + 1, 'user_id', chat.user_id, 'preset', chat.preset,
    'cleared_seq', chat.cleared_seq, 'auto_title', chat.auto_title, 'status', CASE
      WHEN run.state = 'streaming' THEN 'lost' WHEN run.is_cancelled THEN 'cancelled' ELSE 'started' END);
END $f$;

-- Stores tokens of any runs, durable a moment later; those of a run that somebody else has taken, or that has ended, are
-- dropped. Answers with the runs that are to stop: cancelled, or taken.
CREATE FUNCTION run_chunks_write(
  p_tenants uuid[], p_runs uuid[], p_fences bigint[], p_firsts integer[], p_texts text[], p_ends text[]
) RETURNS TABLE (run_id uuid, is_lost boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
#variable_conflict use_column
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  RETURN QUERY
  WITH given AS (
    SELECT w.*, q.state = 'streaming' AND q.fence = w.fence AS ours, q.is_cancelled
    FROM unnest(p_tenants, p_runs, p_fences, p_firsts, p_texts, p_ends) w(t, r, fence, first_index, text, ends)
    LEFT JOIN runs q ON q.tenant_id = w.t AND q.run_id = w.r
  ), stored AS (
    INSERT INTO run_chunks (tenant_id, run_id, first_index, text, ends)
    SELECT g.t, g.r, g.first_index, g.text, g.ends::integer[] FROM given g WHERE g.ours AND g.text <> ''
    ON CONFLICT DO NOTHING
  )
  SELECT g.r, g.ours IS NOT TRUE FROM given g WHERE g.ours IS NOT TRUE OR g.is_cancelled;
END $f$;
`;
