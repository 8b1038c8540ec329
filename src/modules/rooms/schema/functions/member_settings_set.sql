-- Sets what a member wants of a room; what is null stays. p_unmute: `muted_until` goes. Answers with all of it (`me`).
-- status: ok · no_room · not_member
--
-- Locks: the member (shared), their settings.
--
-- execute: tenant
CREATE FUNCTION member_settings_set(p_tenant uuid, p_room uuid, p_user text, p_muted_until timestamptz, p_unmute boolean,
  p_hidden boolean, p_favourite boolean, p_notify text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  -- Who is removed meanwhile has no row that this could be of.
  PERFORM 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user FOR KEY SHARE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  INSERT INTO member_settings AS s (tenant_id, room_id, user_id, muted_until, is_hidden, is_favourite, notify)
  VALUES (p_tenant, p_room, p_user, p_muted_until, COALESCE(p_hidden, false), COALESCE(p_favourite, false),
    COALESCE(p_notify, 'all'))
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE SET
    muted_until = CASE WHEN p_unmute THEN NULL ELSE COALESCE(p_muted_until, s.muted_until) END,
    is_hidden = COALESCE(p_hidden, s.is_hidden), is_favourite = COALESCE(p_favourite, s.is_favourite),
    notify = COALESCE(p_notify, s.notify);
  RETURN jsonb_build_object('status', 'ok', 'me', member_me(p_tenant, p_room, p_user));
END $f$;
