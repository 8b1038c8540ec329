-- Silences an agent until p_until (null: until somebody resumes it), or lets it speak again (p_on false). What it was about
-- to say ends: `runs`. status: ok · no_room · forbidden · fixed · no_agent
--
-- Locks: the room, the agent, its runs.
--
-- execute: tenant
CREATE FUNCTION agent_pause(
  p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_on boolean, p_until timestamptz
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  why text;
  -- Cut, not rounded: who resumes is not to wait for the next millisecond.
  ts timestamptz(3) := date_trunc('milliseconds', clock_timestamp());
  was boolean;
  now_is room_agents;
  stopped jsonb := '[]';
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT COALESCE(a.paused_until > ts, false) INTO was FROM room_agents a
    WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent FOR UPDATE;
  IF was IS NULL THEN RETURN jsonb_build_object('status', 'no_agent'); END IF;
  UPDATE room_agents a SET
    paused_at = CASE WHEN p_on AND NOT was THEN ts ELSE a.paused_at END,
    paused_until = CASE WHEN p_on THEN COALESCE(p_until, 'infinity') WHEN was THEN ts ELSE a.paused_until END
  WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent RETURNING * INTO now_is;
  IF p_on THEN stopped := agent_runs_stop(p_tenant, p_room, p_agent, NULL); END IF;
  RETURN jsonb_build_object('status', 'ok', 'agent', agent_json(now_is), 'runs', stopped);
END $f$;
