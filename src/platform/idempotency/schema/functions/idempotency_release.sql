-- Takes a claim back whose effect was refused: nothing is remembered of it.
--
-- Locks: the key's row.
--
-- execute: tenant
CREATE FUNCTION idempotency_release(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  DELETE FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user AND k.route = p_route
    AND k.key = p_key AND k.fingerprint = p_fingerprint;
  RETURN jsonb_build_object('state', 'new');
END $f$;
