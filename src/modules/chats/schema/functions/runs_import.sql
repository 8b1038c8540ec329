-- Adds runs to a chat that an import is making; returns how many. They are marked as counted: what was used elsewhere is no use of
-- here. p_rows: an array of runs, as lines of an export have them.
--
-- Locks: the room.
--
-- execute: tenant
CREATE FUNCTION runs_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  added integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state, answer_seq, token_count, channel, model,
    finish_reason, prompt_tokens, completion_tokens, total_tokens, estimated, error_code, error_message, options,
    created_at, started_at, ended_at, is_counted, reasoning)
  SELECT p_tenant, x.run_id, p_room, x.user_id, x.reply_to_seq, x.state, x.answer_seq, x.token_count, x.channel, x.model,
    x.finish_reason, x.prompt_tokens, x.completion_tokens, x.total_tokens, x.estimated, x.error_code, x.error_message,
    x.options, x.created_at, x.started_at, x.ended_at, true, x.reasoning
  FROM json_to_recordset(p_rows) x(run_id uuid, user_id text, reply_to_seq bigint, state text, answer_seq bigint,
    token_count integer, channel text, model text, finish_reason text, prompt_tokens bigint, completion_tokens bigint,
    total_tokens bigint, estimated boolean, error_code text, error_message text, options json, created_at timestamptz,
    started_at timestamptz, ended_at timestamptz, reasoning text)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $f$;
