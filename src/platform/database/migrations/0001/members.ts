/** Changes of memberships; the same rules as rooms.ts. */
export const MEMBER_FUNCTIONS = `
-- The room is locked by the caller. Adds those who are not members yet, in the given order.
CREATE FUNCTION members_insert(p_room rooms, p_users text[], p_role text, p_by text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  added text[];
  rev bigint;
BEGIN
  SELECT array_agg(u.user_id ORDER BY u.n) INTO added FROM unnest(p_users) WITH ORDINALITY u(user_id, n)
  WHERE NOT EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_room.tenant_id AND m.room_id = p_room.room_id AND m.user_id = u.user_id);
  IF added IS NULL THEN RETURN; END IF;
  PERFORM users_ensure(p_room.tenant_id, added);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  SELECT p_room.tenant_id, p_room.room_id, a.user_id, p_role, p_room.last_seq, p_room.members_added + a.n
  FROM unnest(added) WITH ORDINALITY a(user_id, n);
  rev := room_log(p_room.tenant_id, p_room.room_id, p_room.last_rev, 'member.joined',
    (SELECT jsonb_agg(jsonb_build_object('room_id', p_room.room_id, 'user_id', a.user_id, 'role', p_role, 'by', p_by)
      ORDER BY a.n) FROM unnest(added) WITH ORDINALITY a(user_id, n)));
  UPDATE rooms r SET member_count = r.member_count + cardinality(added),
    members_added = r.members_added + cardinality(added), last_rev = rev
  WHERE r.tenant_id = p_room.tenant_id AND r.room_id = p_room.room_id;
END $f$;

-- status: ok · no_room · forbidden · fixed
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

-- Channels only; who joins a channel that only agents are left in, or nobody, becomes its admin.
-- status: ok · no_room · forbidden
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

-- status: ok · no_room · forbidden · fixed · not_member · last_admin
CREATE FUNCTION member_set_role(p_tenant uuid, p_room uuid, p_actor text, p_user text, p_role text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  member room_members;
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
    UPDATE room_members m SET role = p_role
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user RETURNING * INTO member;
    PERFORM member_role_changed(room, member.user_id, p_role, p_actor);
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'member', member_json(member));
END $f$;

CREATE FUNCTION member_role_changed(p_room rooms, p_user text, p_role text, p_by text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  UPDATE rooms r SET last_rev = room_log(p_room.tenant_id, p_room.room_id, r.last_rev, 'member.updated',
    jsonb_build_array(jsonb_build_object('room_id', p_room.room_id, 'user_id', p_user, 'role', p_role, 'by', p_by)))
  WHERE r.tenant_id = p_room.tenant_id AND r.room_id = p_room.room_id
$f$;

-- Leaving (actor = user) or removal by an admin; the last admin's leaving promotes the oldest member.
-- status: ok · no_room · forbidden · fixed · not_member
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
  RETURN jsonb_build_object('status', 'ok', 'promoted', heir);
END $f$;
`;
