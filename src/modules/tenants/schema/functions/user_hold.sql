-- Sets whether what a user writes is held. The tenant's row keeps room_cut away, and the deletion of the tenant.
-- status: ok · no_user · deleting; `audit` says what changed.
--
-- Locks: the tenant, the user.
--
-- execute: tenant
CREATE FUNCTION user_hold(p_tenant uuid, p_user text, p_hold boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  was boolean;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.deleting_since IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'deleting'); END IF;
  SELECT u.legal_hold INTO was FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user FOR NO KEY UPDATE;
  IF was IS NULL THEN RETURN jsonb_build_object('status', 'no_user'); END IF;
  IF was = p_hold THEN RETURN jsonb_build_object('status', 'ok', 'legal_hold', was); END IF;
  UPDATE users u SET legal_hold = p_hold WHERE u.tenant_id = p_tenant AND u.user_id = p_user;
  RETURN jsonb_build_object('status', 'ok', 'legal_hold', p_hold, 'audit', jsonb_build_object('user', p_user,
    'before', jsonb_build_object('legal_hold', was), 'after', jsonb_build_object('legal_hold', p_hold)));
END $f$;
