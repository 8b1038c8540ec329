-- A batch of the erase of a user from the audit log: the addresses of what they did, then the row that says whom their ref means.
-- The chain knows neither, and still holds.
--
-- execute: tenant
CREATE FUNCTION audit_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  known text := (SELECT s.ref FROM audit_subjects s WHERE s.tenant_id = p_tenant AND s.user_id = p_user);
  addresses bigint;
BEGIN
  IF known IS NULL THEN RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', NULL); END IF;
  UPDATE audit_log l SET address = NULL WHERE l.tenant_id = p_tenant AND l.n = ANY (ARRAY(SELECT x.n FROM audit_log x
    WHERE x.tenant_id = p_tenant AND x.actor = 'person:' || known AND x.address IS NOT NULL LIMIT p_limit));
  GET DIAGNOSTICS addresses = ROW_COUNT;
  IF addresses = p_limit THEN
    RETURN jsonb_build_object('counts', jsonb_build_object('audit_addresses', addresses), 'after', jsonb_build_object());
  END IF;
  DELETE FROM audit_subjects s WHERE s.tenant_id = p_tenant AND s.ref = known;
  RETURN jsonb_build_object('counts', jsonb_build_object('audit_addresses', addresses, 'audit_subjects', 1), 'after', NULL);
END $f$;
