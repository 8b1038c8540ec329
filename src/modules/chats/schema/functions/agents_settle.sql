-- How agents behave in a room: what is given of max_hops and control. Room admins.
-- status: ok, with `settings` · no_room · forbidden · fixed
--
-- Locks: the room.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION agents_settle(p_tenant uuid, p_room uuid, p_actor text, p_max_hops integer, p_control text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  why text;
  settled jsonb;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, false);
  IF why IS NULL AND room_role(p_tenant, p_room, p_actor) <> 'admin' THEN why := 'forbidden'; END IF;
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  settled := COALESCE(room.agent_settings, '{}')
    || jsonb_strip_nulls(jsonb_build_object('max_hops', p_max_hops, 'control', p_control));
  UPDATE rooms r SET agent_settings = settled WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok', 'settings', settled);
END $f$;
