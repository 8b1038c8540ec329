-- A worker takes the run: a worker that took it before may write no more. status: started · lost (its worker died while it
-- streamed) · cancelled (before it began, or its question was deleted or is kept no more) · spent (a budget is, with limit: it has not begun) ·
-- ended · gone. Of an agent's run it says the agent's, and the tenant's limits, for the rate of calls. p_options: what it is asked with, as JSON text; kept with the run.
--
-- Locks: the run, the chat. A transaction that holds a run never waits for its room.
--
-- tables: messages, room_members, tenants
-- execute: tenant
CREATE FUNCTION run_begin(p_tenant uuid, p_run uuid, p_options text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  run runs;
  chat chats;
  agent room_agents;
  spent jsonb;
  outcome text;
BEGIN
  SELECT * INTO run FROM runs q WHERE q.tenant_id = p_tenant AND q.run_id = p_run FOR UPDATE;
  IF run.run_id IS NULL THEN RETURN jsonb_build_object('status', 'gone'); END IF;
  SELECT * INTO chat FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  IF run.agent_id IS NOT NULL THEN
    SELECT * INTO agent FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = run.room_id AND a.agent_id = run.agent_id;
  END IF;
  IF run.state NOT IN ('queued', 'streaming') THEN
    RETURN jsonb_build_object('status', CASE WHEN chat.deleted_at IS NULL THEN 'ended' ELSE 'gone' END);
  END IF;
  outcome := CASE WHEN run.state = 'streaming' THEN 'lost'
    WHEN run.is_cancelled OR run.reply_to_seq < (SELECT k.first_seq FROM room_keeps(p_tenant, run.room_id) k)
      OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = run.room_id
      AND m.seq = run.reply_to_seq AND m.deleted_at IS NOT NULL) THEN 'cancelled' ELSE 'started' END;
  IF outcome = 'started' AND run.refused IS NULL THEN spent := budget_spent(p_tenant, run.user_id, run.room_id); END IF;
  IF spent IS NOT NULL THEN outcome := 'spent'; END IF;
  -- One that is refused stays queued until its refusal is stored: a crash in between asks once more.
  UPDATE runs q SET state = CASE WHEN outcome = 'spent' THEN q.state ELSE 'streaming' END, fence = q.fence + 1,
    started_at = COALESCE(q.started_at, clock_timestamp()), options = COALESCE(p_options::json, q.options)
  WHERE q.tenant_id = p_tenant AND q.run_id = p_run;
  UPDATE chats c SET active_at = clock_timestamp() WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  IF run.agent_id IS NOT NULL THEN
    RETURN jsonb_build_object('status', outcome, 'fence', run.fence + 1, 'user_id', run.user_id, 'preset', COALESCE(agent.preset, ''),
      'cleared_seq', COALESCE((SELECT m.joined_seq FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = run.room_id
        AND m.user_id = run.agent_id), 0), 'auto_title', false, 'agent', jsonb_build_object('agent_id', run.agent_id,
        'name', agent.name, 'refused', run.refused, 'paused_at', agent.paused_at, 'paused_until', agent.paused_until,
        'limits', (SELECT t.limits FROM tenants t WHERE t.tenant_id = p_tenant))) || COALESCE(spent, '{}');
  END IF;
  RETURN jsonb_build_object('status', outcome, 'fence', run.fence + 1, 'user_id', chat.user_id, 'preset', chat.preset,
    'cleared_seq', chat.cleared_seq, 'auto_title', chat.auto_title) || COALESCE(spent, '{}');
END $f$;
