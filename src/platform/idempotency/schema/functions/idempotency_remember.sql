-- Stores a result that is ok, for 24 hours, and hands it through. What it says to the audit log (`audit`) is not for a repeat.
-- The caller holds the key's lock.
--
-- execute: tenant
CREATE FUNCTION idempotency_remember(
  p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea, p_result jsonb
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  IF p_result ->> 'status' = 'ok' THEN
    INSERT INTO idempotency_keys (tenant_id, user_id, route, key, fingerprint, result, expires_at)
    VALUES (p_tenant, p_user, p_route, p_key, p_fingerprint, p_result - 'audit', clock_timestamp() + interval '24 hours')
    ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
      result = EXCLUDED.result, created_at = clock_timestamp(), expires_at = EXCLUDED.expires_at;
  END IF;
  RETURN p_result;
END $f$;
