-- p_by: whose text name and metadata are; null: it is not known. status: ok · exists (a room with this unique key, with its room_id)
--
-- Locks: the room that it makes, its users.
--
-- keeps: room_create(uuid,uuid,text,text,text,json,text,text[],text[]) for releases before 0.2.0
-- execute: tenant
CREATE FUNCTION room_create(
  p_tenant uuid, p_room uuid, p_type text, p_unique_key text, p_name text, p_metadata json, p_posting text,
  p_users text[], p_roles text[], p_by text
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  existing uuid;
BEGIN
  INSERT INTO rooms (tenant_id, room_id, type, unique_key, name, metadata, posting, member_count, members_added,
    described_by)
  VALUES (p_tenant, p_room, p_type, p_unique_key, p_name, p_metadata, p_posting, cardinality(p_users),
    cardinality(p_users), CASE WHEN p_name IS NULL AND p_metadata IS NULL THEN '{}' WHEN p_by IS NOT NULL THEN ARRAY[p_by] END)
  ON CONFLICT (tenant_id, unique_key) WHERE unique_key IS NOT NULL DO NOTHING RETURNING * INTO room;
  IF room.room_id IS NULL THEN
    SELECT r.room_id INTO existing FROM rooms r WHERE r.tenant_id = p_tenant AND r.unique_key = p_unique_key;
    RETURN jsonb_build_object('status', 'exists', 'room_id', existing);
  END IF;
  PERFORM users_ensure(p_tenant, p_users);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  SELECT p_tenant, p_room, m.user_id, m.role, 0, m.n FROM unnest(p_users, p_roles) WITH ORDINALITY m(user_id, role, n);
  RETURN jsonb_build_object('status', 'ok', 'room', room_json(room));
END $f$;
