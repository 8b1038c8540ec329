-- Tells the change of a role. The caller holds the room.
--
-- execute: tenant
CREATE FUNCTION member_role_changed(p_room rooms, p_user text, p_role text, p_by text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  UPDATE rooms r SET last_rev = room_log(p_room.tenant_id, p_room.room_id, r.last_rev, 'member.updated',
    jsonb_build_array(jsonb_build_object('room_id', p_room.room_id, 'user_id', p_user, 'role', p_role, 'by', p_by)))
  WHERE r.tenant_id = p_room.tenant_id AND r.room_id = p_room.room_id
$f$;
