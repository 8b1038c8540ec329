-- Channels only; a user that joins a channel without a member, or with agents only, becomes its admin.
-- status: ok · no_room · forbidden
--
-- Locks: the room, the user.
--
-- execute: tenant
CREATE FUNCTION room_join(p_tenant uuid, p_room uuid, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room.type <> 'channel' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  PERFORM members_insert(room, ARRAY[p_user], CASE WHEN EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.role = 'admin') THEN 'member' ELSE 'admin' END, p_user);
  RETURN jsonb_build_object('status', 'ok', 'member', (
    SELECT member_json(m) FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user));
END $f$;
