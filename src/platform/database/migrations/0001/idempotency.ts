/**
 * Idempotency keys. A first call holds an advisory lock for its transaction and writes its result in it: a crash
 * leaves nothing behind, a concurrent repeat sees `running`, a later one gets the stored result. Where the effect is
 * bound by an id of its own (messages), only the body is remembered, by claim and release.
 */
export const IDEMPOTENCY_FUNCTIONS = `
CREATE FUNCTION idempotency_begin(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  known idempotency_keys;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended(
    concat_ws(E'\\x01', 'idempotency', p_tenant, p_user, p_route, p_key), 0)) THEN
    RETURN jsonb_build_object('state', 'running');
  END IF;
  SELECT * INTO known FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user
    AND k.route = p_route AND k.key = p_key AND k.expires_at > clock_timestamp();
  IF known.key IS NULL THEN RETURN jsonb_build_object('state', 'new'); END IF;
  IF known.fingerprint <> p_fingerprint THEN RETURN jsonb_build_object('state', 'mismatch'); END IF;
  RETURN jsonb_build_object('state', 'replay', 'result', known.result);
END $f$;

-- Stores a result that is ok, for 24 hours, and hands it through.
CREATE FUNCTION idempotency_remember(
  p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea, p_result jsonb
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  IF p_result ->> 'status' = 'ok' THEN
    INSERT INTO idempotency_keys (tenant_id, user_id, route, key, fingerprint, result, expires_at)
    VALUES (p_tenant, p_user, p_route, p_key, p_fingerprint, p_result, clock_timestamp() + interval '24 hours')
    ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
      result = EXCLUDED.result, created_at = clock_timestamp(), expires_at = EXCLUDED.expires_at;
  END IF;
  RETURN p_result;
END $f$;

-- Binds a key to a body ahead of an effect that has an id of its own against a second one, so that nothing is held
-- while it runs. A claim that a crash loses costs nothing but the check: its commit need not wait for the disk.
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

-- Takes a claim back whose effect was refused: nothing is remembered of it.
CREATE FUNCTION idempotency_release(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  DELETE FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user AND k.route = p_route
    AND k.key = p_key AND k.fingerprint = p_fingerprint;
  RETURN jsonb_build_object('state', 'new');
END $f$;
`;
