-- Changes what is given; a name of '' takes it away. status: ok · no_room · forbidden · fixed · no_agent
--
-- Locks: the room, the agent.
--
-- execute: tenant
CREATE FUNCTION agent_update(
  p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_respond text, p_name text
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  why text;
  now_is room_agents;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  UPDATE room_agents a SET respond = COALESCE(p_respond, a.respond), name = NULLIF(COALESCE(p_name, a.name), ''),
    named_by = CASE WHEN p_name IS NULL THEN a.named_by WHEN p_name <> '' THEN p_actor END
  WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent RETURNING * INTO now_is;
  IF now_is.agent_id IS NULL THEN RETURN jsonb_build_object('status', 'no_agent'); END IF;
  RETURN jsonb_build_object('status', 'ok', 'agent', agent_json(now_is));
END $f$;
