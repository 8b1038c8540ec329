-- Adds the users that are not members yet, in the given order. The caller holds the room.
--
-- Locks: the users.
--
-- execute: tenant
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
