-- Takes a person out of a room. Of a group or channel the membership ends as if they had left; the last admin's leaving promotes
-- the oldest member. A dm keeps its two members, the one renamed, and is closed to sends. Name and metadata that may be the
-- person's go, and their id in what others wrote there. The event of that says `erased`, so that names of before are known.
-- The id still stands in the events: they are told as they happened, and rewritten later (events_erase).
-- Answers with what it has done, by kind; {} where the person is nowhere in it.
--
-- Locks: the room, the member, the user who stands for the person.
--
-- execute: tenant
CREATE FUNCTION room_part(p_tenant uuid, p_room uuid, p_user text, p_erased text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  gone room_members;
  heir text;
  has_other_admin boolean;
  is_closed boolean;
  is_described boolean;
  is_mentioned boolean;
  did jsonb := '{}';
BEGIN
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF room.room_id IS NULL THEN RETURN did; END IF;
  DELETE FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
    RETURNING * INTO gone;
  has_other_admin := EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.role = 'admin');
  is_closed := gone.user_id IS NOT NULL AND room.type = 'dm';
  is_described := p_user = ANY (room.described_by) OR is_closed OR (gone.role = 'admin' AND NOT has_other_admin
    AND (room.described_by IS NULL OR '' = ANY (room.described_by)));
  is_mentioned := erased_json(room.metadata::text, p_user, p_erased) <> room.metadata::text;
  IF gone.user_id IS NOT NULL THEN did := jsonb_build_object('memberships', 1); END IF;
  IF is_closed THEN
    PERFORM users_ensure(p_tenant, ARRAY[p_erased]);
    INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_at, joined_seq, member_no)
    VALUES (p_tenant, p_room, p_erased, gone.role, gone.joined_at, gone.joined_seq, gone.member_no);
  ELSIF gone.user_id IS NOT NULL THEN
    UPDATE rooms r SET member_count = r.member_count - 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
    IF room.deleted_at IS NULL THEN
      UPDATE rooms r SET last_rev = room_log(p_tenant, p_room, r.last_rev, 'member.left', jsonb_build_array(
        jsonb_build_object('room_id', p_room, 'user_id', p_user, 'role', gone.role, 'by', p_user)))
      WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
    END IF;
    IF gone.role = 'admin' AND NOT has_other_admin THEN
      UPDATE room_members m SET role = 'admin' WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.member_no = (
        SELECT min(o.member_no) FROM room_members o
        WHERE o.tenant_id = p_tenant AND o.room_id = p_room AND o.role <> 'agent') RETURNING m.user_id INTO heir;
      IF heir IS NOT NULL AND room.deleted_at IS NULL THEN PERFORM member_role_changed(room, heir, 'admin', p_user); END IF;
    END IF;
  END IF;
  IF is_described OR is_mentioned THEN
    UPDATE rooms r SET name = CASE WHEN is_described THEN NULL ELSE r.name END,
      metadata = CASE WHEN is_described THEN NULL ELSE erased_json(r.metadata::text, p_user, p_erased)::json END,
      described_by = CASE WHEN is_described THEN array_append(ARRAY(SELECT d FROM unnest(r.described_by) d
        WHERE starts_with(d, 'erased_')), p_erased) ELSE r.described_by END,
      unique_key = CASE WHEN is_closed THEN NULL ELSE r.unique_key END,
      posting = CASE WHEN is_closed THEN 'admins' ELSE r.posting END,
      last_rev = r.last_rev + CASE WHEN r.deleted_at IS NULL THEN 1 ELSE 0 END, updated_at = clock_timestamp()
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
    IF room.deleted_at IS NULL THEN
      PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated',
        jsonb_build_array(room_json(room) || CASE WHEN is_described THEN jsonb_build_object('erased', p_erased) ELSE '{}' END));
    END IF;
    did := did || jsonb_build_object('descriptions', 1);
  END IF;
  RETURN did;
END $f$;
