-- The end of the erase of a user: the row. Somebody may have made them a member again meanwhile: the room comes first then.
--
-- Locks: the user.
--
-- tables: room_members
-- execute: tenant
CREATE FUNCTION users_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  gone bigint;
BEGIN
  PERFORM 1 FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user FOR UPDATE;
  DELETE FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user
    AND NOT EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.user_id = p_user);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('users', gone), 'after', NULL);
END $f$;
