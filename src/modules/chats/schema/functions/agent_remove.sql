-- The agent is a member no longer; its answers end without a message (agent_gone). `runs`: those that were written or waited.
-- `audit`: for audit_result. status: ok · no_room · forbidden · fixed · no_agent
--
-- Locks: the room, the member, the agent, its runs.
--
-- tables: room_members, rooms
-- execute: tenant
CREATE FUNCTION agent_remove(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  why text;
  stopped jsonb;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  IF NOT EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent) THEN
    RETURN jsonb_build_object('status', 'no_agent');
  END IF;
  stopped := agent_runs_stop(p_tenant, p_room, p_agent, NULL);
  DELETE FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_agent;
  UPDATE rooms r SET member_count = r.member_count - 1, last_rev = room_log(p_tenant, p_room, r.last_rev,
    'member.left', jsonb_build_array(jsonb_build_object('room_id', p_room, 'user_id', p_agent, 'role', 'agent',
      'by', p_actor)))
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok', 'runs', stopped, 'audit', jsonb_build_object('details',
    jsonb_build_object('agent', p_agent)));
END $f$;
