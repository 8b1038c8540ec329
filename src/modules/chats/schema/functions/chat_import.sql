-- Makes the room that an import has just opened a chat. One that was active is so where the user has no other active one of the
-- group and preset; it keeps its external id where the user has no other chat of that id. p_row: a chat, as a line of an
-- export has it.
--
-- execute: tenant
CREATE FUNCTION chat_import(p_tenant uuid, p_room uuid, p_row json) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  INSERT INTO chats (tenant_id, room_id, user_id, group_id, preset, auto_title, is_active, cleared_seq, created_at, active_at,
    external_id)
  SELECT p_tenant, p_room, x.user_id, x.group_id, x.preset, x.auto_title, x.is_active AND NOT EXISTS (SELECT 1 FROM chats c
      WHERE c.tenant_id = p_tenant AND c.user_id = x.user_id AND COALESCE(c.group_id, '') = COALESCE(x.group_id, '')
        AND c.preset = x.preset AND c.is_active), x.cleared_seq, x.created_at, x.active_at,
    CASE WHEN NOT EXISTS (SELECT 1 FROM chats c WHERE c.tenant_id = p_tenant AND c.user_id = x.user_id
      AND c.external_id = x.external_id AND c.deleted_at IS NULL) THEN x.external_id END
  FROM json_to_record(p_row) x(user_id text, group_id text, preset text, auto_title boolean, is_active boolean,
    cleared_seq bigint, created_at timestamptz, active_at timestamptz, external_id text)
  ON CONFLICT (tenant_id, room_id) DO NOTHING
$f$;
