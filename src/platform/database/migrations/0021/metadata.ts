/**
 * Metadata in the order of its keys, as a message's meta: the column is json, which keeps its text, and the functions take
 * json and merge it. What they answer, and the events of a room, are jsonb, which would sort it again: beside it they
 * carry the text. The bodies are those of migrations 0001 and 0014 otherwise.
 */
export const METADATA = `
ALTER TABLE rooms ALTER COLUMN metadata TYPE json USING metadata::json;
DROP FUNCTION room_create(uuid, uuid, text, text, text, jsonb, text, text[], text[]);
DROP FUNCTION room_update(uuid, uuid, text, text, jsonb, text, integer);
DROP FUNCTION chat_create(uuid, uuid, text, text, text, text, text, jsonb, boolean, boolean);
DROP FUNCTION chat_update(uuid, uuid, text, jsonb, integer, boolean);
DROP FUNCTION chat_room(uuid, uuid);
DROP FUNCTION jsonb_strip_top_nulls(jsonb);

-- Keys of p_change are set, those that it names with null are removed, new ones come last.
CREATE FUNCTION json_merge(p_old json, p_change json) RETURNS json
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT COALESCE(json_object_agg(k.key, k.value ORDER BY k.part, k.n), '{}') FROM (
    SELECT o.key, o.value, 1 AS part, o.n FROM json_each(COALESCE(p_old, '{}')) WITH ORDINALITY o(key, value, n)
    WHERE NOT EXISTS (SELECT 1 FROM json_each(p_change) c WHERE c.key = o.key)
    UNION ALL
    SELECT c.key, c.value, CASE WHEN o.n IS NULL THEN 2 ELSE 1 END, COALESCE(o.n, c.n)
    FROM json_each(p_change) WITH ORDINALITY c(key, value, n)
    LEFT JOIN json_each(COALESCE(p_old, '{}')) WITH ORDINALITY o(key, value, n) ON o.key = c.key
    WHERE json_typeof(c.value) <> 'null') k
$f$;

CREATE OR REPLACE FUNCTION room_json(r rooms) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT to_jsonb(r) - 'tenant_id' - 'members_added' - 'deleted_at' - 'first_rev'
    || jsonb_build_object('metadata_text', r.metadata::text)
$f$;

-- What a chat shows of its room. Without SET, so that it is inlined.
CREATE FUNCTION chat_room(p_tenant uuid, p_room uuid)
RETURNS TABLE (name text, metadata json, updated_at timestamptz, last_message_at timestamptz, message_count bigint)
LANGUAGE sql STABLE AS $f$
  SELECT r.name, r.metadata, r.updated_at, r.last_message_at, r.last_seq - r.first_seq + 1
  FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL
$f$;

CREATE OR REPLACE FUNCTION chat_json(p_tenant uuid, p_room uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('room_id', c.room_id, 'user_id', c.user_id, 'group_id', c.group_id, 'preset', c.preset,
    'created_at', c.created_at, 'name', r.name, 'metadata', r.metadata, 'metadata_text', r.metadata::text, 'updated_at', r.updated_at,
    'last_message_at', r.last_message_at, 'message_count', r.message_count)
  FROM chats c CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room
$f$;

CREATE FUNCTION room_create(
  p_tenant uuid, p_room uuid, p_type text, p_unique_key text, p_name text, p_metadata json, p_posting text,
  p_users text[], p_roles text[]
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  existing uuid;
BEGIN
  INSERT INTO rooms (tenant_id, room_id, type, unique_key, name, metadata, posting, member_count, members_added)
  VALUES (p_tenant, p_room, p_type, p_unique_key, p_name, p_metadata, p_posting, cardinality(p_users),
    cardinality(p_users))
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

CREATE FUNCTION room_update(
  p_tenant uuid, p_room uuid, p_user text, p_name text, p_metadata json, p_posting text, p_max_bytes integer
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
    last_rev = r.last_rev + 1, updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'room', room_json(room));
END $f$;

CREATE FUNCTION chat_create(
  p_tenant uuid, p_room uuid, p_user text, p_group text, p_preset text, p_agent text, p_title text, p_metadata json,
  p_auto_title boolean, p_active boolean
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  existing uuid;
BEGIN
  IF p_active THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('chat ' || jsonb_build_array(p_tenant, p_user, p_group, p_preset)::text, 0));
    SELECT c.room_id INTO existing FROM chats c WHERE c.tenant_id = p_tenant AND c.user_id = p_user
      AND COALESCE(c.group_id, '') = COALESCE(p_group, '') AND c.preset = p_preset AND c.is_active;
    IF existing IS NOT NULL THEN
      RETURN jsonb_build_object('status', 'ok', 'made', false, 'chat', chat_json(p_tenant, existing));
    END IF;
  END IF;
  PERFORM users_ensure(p_tenant, ARRAY[p_user, p_agent]);
  INSERT INTO rooms (tenant_id, room_id, type, name, metadata, member_count, members_added)
  VALUES (p_tenant, p_room, 'ai', p_title, p_metadata, 2, 2);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  VALUES (p_tenant, p_room, p_user, 'member', 0, 1), (p_tenant, p_room, p_agent, 'agent', 0, 2);
  INSERT INTO chats (tenant_id, room_id, user_id, group_id, preset, auto_title, is_active)
  VALUES (p_tenant, p_room, p_user, p_group, p_preset, p_auto_title, p_active);
  RETURN jsonb_build_object('status', 'ok', 'made', true, 'chat', chat_json(p_tenant, p_room));
END $f$;

CREATE FUNCTION chat_update(
  p_tenant uuid, p_room uuid, p_title text, p_metadata json, p_max_bytes integer, p_only_auto boolean
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  merged json;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF p_only_auto AND NOT (SELECT c.auto_title FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = p_room) THEN
    RETURN jsonb_build_object('status', 'kept');
  END IF;
  merged := CASE WHEN p_metadata IS NULL THEN room.metadata ELSE json_merge(room.metadata, p_metadata) END;
  IF p_metadata IS NOT NULL AND json_bytes(merged::jsonb) > p_max_bytes THEN
    RETURN jsonb_build_object('status', 'too_large');
  END IF;
  UPDATE rooms r SET name = COALESCE(p_title, r.name), metadata = merged, last_rev = r.last_rev + 1,
    updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF p_title IS NOT NULL THEN
    UPDATE chats c SET auto_title = false WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  END IF;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'chat', chat_json(p_tenant, p_room));
END $f$;
`;
