-- The chat that a user's own client calls by this id, made where there is none; a deleted one is none.
-- status: ok, with `made`
--
-- Locks: the advisory lock of (tenant, user, id); then as chat_create.
--
-- execute: tenant
CREATE FUNCTION chat_external(
  p_tenant uuid, p_room uuid, p_user text, p_external text, p_preset text, p_agent text, p_title text
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  existing uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('chat id ' || jsonb_build_array(p_tenant, p_user, p_external)::text, 0));
  SELECT c.room_id INTO existing FROM chats c WHERE c.tenant_id = p_tenant AND c.user_id = p_user
    AND c.external_id = p_external AND c.deleted_at IS NULL;
  IF existing IS NULL THEN
    PERFORM chat_create(p_tenant, p_room, p_user, NULL, p_preset, p_agent, p_title, NULL, true, false);
    UPDATE chats c SET external_id = p_external WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'made', existing IS NULL,
    'chat', chat_json(p_tenant, COALESCE(existing, p_room)));
END $f$;
