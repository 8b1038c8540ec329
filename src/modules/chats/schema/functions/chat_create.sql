-- With p_active: the active chat of this user, group and preset, made only where there is none.
-- status: ok, with `made`
--
-- Locks: with p_active the advisory lock of (tenant, user, group, preset); then the users, the room that it makes.
--
-- tables: room_members, rooms
-- execute: tenant
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
