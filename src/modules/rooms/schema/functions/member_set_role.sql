-- `audit`: what an admin has done to another, for audit_result.
-- status: ok · no_room · forbidden · fixed · not_member · last_admin
--
-- Locks: the room, the member.
--
-- execute: tenant
CREATE FUNCTION member_set_role(p_tenant uuid, p_room uuid, p_actor text, p_user text, p_role text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  member room_members;
  told jsonb := '{}';
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', CASE WHEN room.type IN ('dm', 'ai')
      AND room_role(p_tenant, p_room, p_actor) IS NOT NULL THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT * INTO member FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user AND m.role <> 'agent';
  IF member.user_id IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  IF member.role <> p_role THEN
    IF p_role <> 'admin' AND NOT EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant
      AND m.room_id = p_room AND m.role = 'admin' AND m.user_id <> p_user) THEN
      RETURN jsonb_build_object('status', 'last_admin');
    END IF;
    IF p_actor <> p_user THEN
      told := jsonb_build_object('audit', jsonb_build_object('user', p_user,
        'before', jsonb_build_object('role', member.role), 'after', jsonb_build_object('role', p_role)));
    END IF;
    UPDATE room_members m SET role = p_role
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user RETURNING * INTO member;
    PERFORM member_role_changed(room, member.user_id, p_role, p_actor);
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'member', member_json(member)) || told;
END $f$;
