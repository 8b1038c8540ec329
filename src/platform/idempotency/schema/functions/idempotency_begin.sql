-- A first call holds an advisory lock for its transaction and writes its result in it (idempotency_remember): a crash
-- leaves nothing behind, a concurrent repeat sees `running`, a later one gets the stored result.
-- state: new · running · replay (with result) · mismatch
--
-- Locks: the advisory lock of the key, without waiting, before any other.
--
-- execute: tenant
CREATE FUNCTION idempotency_begin(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  known idempotency_keys;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended(
    concat_ws(E'\x01', 'idempotency', p_tenant, p_user, p_route, p_key), 0)) THEN
    RETURN jsonb_build_object('state', 'running');
  END IF;
  SELECT * INTO known FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user
    AND k.route = p_route AND k.key = p_key AND k.expires_at > clock_timestamp();
  IF known.key IS NULL THEN RETURN jsonb_build_object('state', 'new'); END IF;
  IF known.fingerprint <> p_fingerprint THEN RETURN jsonb_build_object('state', 'mismatch'); END IF;
  RETURN jsonb_build_object('state', 'replay', 'result', known.result);
END $f$;
