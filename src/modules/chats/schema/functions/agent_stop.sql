-- Stops what an agent writes and what waits: all of it for whoever may control agents, else what the actor asked for.
-- status: ok, with `runs` · no_room · forbidden · no_agent
--
-- Locks: the room, the runs.
--
-- execute: tenant
CREATE FUNCTION agent_stop(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  why text;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why = 'no_room' THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  IF NOT EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent) THEN
    RETURN jsonb_build_object('status', 'no_agent');
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'runs',
    agent_runs_stop(p_tenant, p_room, p_agent, CASE WHEN why IS NOT NULL THEN p_actor END));
END $f$;
