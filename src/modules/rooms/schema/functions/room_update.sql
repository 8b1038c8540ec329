-- A member named in p_metadata with null is removed, the others are set. p_settings: those that are set, checked by the
-- caller; the others stay. '' in described_by: others, whom nobody knows.
-- status: ok · no_room · forbidden · dm_posting · too_large
--
-- Locks: the room.
--
-- keeps: room_update(uuid,uuid,text,text,json,text,integer) for releases before 0.2.0
-- execute: tenant
CREATE FUNCTION room_update(
  p_tenant uuid, p_room uuid, p_user text, p_name text, p_metadata json, p_posting text, p_settings jsonb,
  p_max_bytes integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  role text;
  merged json;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  role := room_role(p_tenant, p_room, p_user);
  IF role IS NULL OR (role <> 'admin' AND room.type <> 'dm') OR room.type = 'ai' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  IF p_posting IS NOT NULL AND room.type = 'dm' THEN RETURN jsonb_build_object('status', 'dm_posting'); END IF;
  merged := CASE WHEN p_metadata IS NULL THEN room.metadata ELSE json_merge(room.metadata, p_metadata) END;
  IF p_metadata IS NOT NULL AND json_bytes(merged::jsonb) > p_max_bytes THEN
    RETURN jsonb_build_object('status', 'too_large');
  END IF;
  UPDATE rooms r SET name = COALESCE(p_name, r.name), metadata = merged, posting = COALESCE(p_posting, r.posting),
    settings = CASE WHEN p_settings IS NULL THEN r.settings ELSE COALESCE(r.settings, '{}') || p_settings END,
    described_by = CASE WHEN p_name IS NULL AND p_metadata IS NULL OR p_user = ANY (r.described_by) THEN r.described_by
      ELSE array_append(COALESCE(r.described_by, ARRAY['']), p_user) END,
    last_rev = r.last_rev + 1, updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'room', room_json(room));
END $f$;
