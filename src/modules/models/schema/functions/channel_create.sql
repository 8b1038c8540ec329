-- What it returns is remembered for an Idempotency-Key, so it must not hold a channel's key, sealed or not.
-- status: ok · full · taken
--
-- Locks: the tenant, before it counts: two at a time would both find room for one.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION channel_create(p_tenant uuid, p_id uuid, p_limit integer, p_api_key text, p_values jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  v model_channels := jsonb_populate_record(NULL::model_channels, p_values);
  c model_channels;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF (SELECT count(*) FROM model_channels x WHERE x.tenant_id = p_tenant) >= p_limit THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO model_channels AS x (tenant_id, channel_id, name, provider, base_url, api_key, model, priority, weight,
    enabled, max_tokens, temperature, timeout_ms, options)
  VALUES (p_tenant, p_id, v.name, v.provider, v.base_url, p_api_key, v.model, v.priority, v.weight,
    v.enabled, v.max_tokens, v.temperature, v.timeout_ms, v.options)
  ON CONFLICT (tenant_id, name) DO NOTHING RETURNING x.* INTO c;
  IF c.channel_id IS NULL THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok',
    'channel', to_jsonb(c) - 'api_key' || jsonb_build_object('has_api_key', c.api_key IS NOT NULL));
END $f$;
