-- status: ok · no_room · forbidden · fixed
--
-- Locks: the room, the users.
--
-- execute: tenant
CREATE FUNCTION members_add(p_tenant uuid, p_room uuid, p_actor text, p_users text[], p_role text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS NULL AND room.type <> 'channel' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  IF room.type IN ('dm', 'ai') THEN RETURN jsonb_build_object('status', 'fixed'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  PERFORM members_insert(room, p_users, p_role, p_actor);
  RETURN jsonb_build_object('status', 'ok', 'members', (
    SELECT jsonb_agg(member_json(m) ORDER BY m.member_no) FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = ANY (p_users)));
END $f$;
