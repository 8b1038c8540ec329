-- Makes an agent a member. A room has at most 20, and one per preset; `default` always exists. `audit`: for audit_result.
-- status: ok · no_room · forbidden · fixed · no_preset · exists · full
--
-- Locks: the room, the users.
--
-- tables: presets, rooms
-- execute: tenant
CREATE FUNCTION agent_add(
  p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_preset text, p_respond text, p_name text
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  why text;
  others bigint;
  made room_agents;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  IF p_preset <> 'default' AND NOT EXISTS (SELECT 1 FROM presets p WHERE p.tenant_id = p_tenant AND p.name = p_preset) THEN
    RETURN jsonb_build_object('status', 'no_preset');
  END IF;
  IF EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent) THEN
    RETURN jsonb_build_object('status', 'exists');
  END IF;
  SELECT count(*) INTO others FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room;
  IF others >= 20 THEN RETURN jsonb_build_object('status', 'full'); END IF;
  PERFORM members_insert(room, ARRAY[p_agent], 'agent', p_actor);
  INSERT INTO room_agents (tenant_id, room_id, agent_id, preset, name, named_by, respond)
  VALUES (p_tenant, p_room, p_agent, p_preset, p_name, CASE WHEN p_name IS NOT NULL THEN p_actor END, p_respond) RETURNING * INTO made;
  UPDATE rooms r SET has_agents = true WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok', 'agent', agent_json(made), 'audit', jsonb_build_object('details',
    jsonb_build_object('agent', p_agent), 'before', NULL, 'after', jsonb_build_object('respond', p_respond)));
END $f$;
