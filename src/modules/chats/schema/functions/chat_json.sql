-- A chat as its changes answer it.
--
-- execute: tenant
CREATE FUNCTION chat_json(p_tenant uuid, p_room uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('room_id', c.room_id, 'user_id', c.user_id, 'group_id', c.group_id, 'preset', c.preset,
    'external_id', c.external_id,
    'created_at', c.created_at, 'name', r.name, 'metadata', r.metadata, 'metadata_text', r.metadata::text, 'updated_at', r.updated_at,
    'last_message_at', r.last_message_at, 'message_count', r.message_count, 'last_seq', r.last_seq)
  FROM chats c CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room
$f$;
