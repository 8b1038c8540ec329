-- Binds a key to a body ahead of an effect that has an id of its own against a second one (a message), so that nothing is
-- held while it runs. A claim that a crash loses costs nothing but the check: its commit need not wait for the disk.
-- state: new · replay · mismatch
--
-- Locks: the key's row.
--
-- execute: tenant
CREATE FUNCTION idempotency_claim(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  known bytea;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO idempotency_keys AS k (tenant_id, user_id, route, key, fingerprint, result, expires_at)
  VALUES (p_tenant, p_user, p_route, p_key, p_fingerprint, '{}', clock_timestamp() + interval '24 hours')
  ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
    result = EXCLUDED.result, created_at = clock_timestamp(), expires_at = EXCLUDED.expires_at
    WHERE k.expires_at <= clock_timestamp();
  IF FOUND THEN RETURN jsonb_build_object('state', 'new'); END IF;
  SELECT k.fingerprint INTO known FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user
    AND k.route = p_route AND k.key = p_key;
  RETURN jsonb_build_object('state', CASE WHEN known = p_fingerprint THEN 'replay' ELSE 'mismatch' END);
END $f$;
