-- Leaving (actor = user) or removal by an admin; the last admin's leaving promotes the oldest member. `audit`: what an admin
-- has done to another, for audit_result.
-- status: ok · no_room · forbidden · fixed · not_member
--
-- Locks: the room, the member.
--
-- execute: tenant
CREATE FUNCTION member_remove(p_tenant uuid, p_room uuid, p_actor text, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  actor_role text;
  gone room_members;
  heir text;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  actor_role := room_role(p_tenant, p_room, p_actor);
  IF actor_role IS NULL THEN
    RETURN jsonb_build_object('status', CASE WHEN room.type = 'channel' AND p_actor = p_user THEN 'not_member'
      ELSE 'forbidden' END);
  END IF;
  IF room.type IN ('dm', 'ai') THEN RETURN jsonb_build_object('status', 'fixed'); END IF;
  IF p_actor <> p_user AND actor_role <> 'admin' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  DELETE FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
    AND m.role <> 'agent' RETURNING * INTO gone;
  IF gone.user_id IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  UPDATE rooms r SET member_count = r.member_count - 1, last_rev = room_log(p_tenant, p_room, r.last_rev,
    'member.left', jsonb_build_array(jsonb_build_object('room_id', p_room, 'user_id', p_user, 'role', gone.role,
      'by', p_actor)))
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  IF gone.role = 'admin' AND NOT EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.role = 'admin') THEN
    UPDATE room_members m SET role = 'admin' WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.member_no = (
      SELECT min(o.member_no) FROM room_members o
      WHERE o.tenant_id = p_tenant AND o.room_id = p_room AND o.role <> 'agent') RETURNING m.user_id INTO heir;
    IF heir IS NOT NULL THEN PERFORM member_role_changed(room, heir, 'admin', p_actor); END IF;
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'promoted', heir) || CASE WHEN p_actor = p_user THEN '{}'
    ELSE jsonb_build_object('audit', jsonb_build_object('user', p_user, 'before', jsonb_build_object('role', gone.role)))
    END;
END $f$;
