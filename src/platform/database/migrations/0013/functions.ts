/**
 * Both count before they insert, so they first lock the row of the tenant: two at a time would both find room for one.
 * What they return is remembered for an Idempotency-Key, so it must not hold a channel's key, sealed or not.
 */
export const FUNCTIONS = `
CREATE FUNCTION channel_create(
  p_tenant uuid, p_id uuid, p_limit integer, p_name text, p_provider text, p_base_url text, p_api_key text,
  p_model text, p_priority integer, p_weight integer, p_enabled boolean, p_max_tokens integer,
  p_temperature double precision, p_timeout_ms integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  c model_channels;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF (SELECT count(*) FROM model_channels x WHERE x.tenant_id = p_tenant) >= p_limit THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO model_channels AS x (tenant_id, channel_id, name, provider, base_url, api_key, model, priority, weight,
    enabled, max_tokens, temperature, timeout_ms)
  VALUES (p_tenant, p_id, p_name, p_provider, p_base_url, p_api_key, p_model, p_priority, p_weight,
    p_enabled, p_max_tokens, p_temperature, p_timeout_ms)
  ON CONFLICT (tenant_id, name) DO NOTHING RETURNING x.* INTO c;
  IF c.channel_id IS NULL THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok',
    'channel', to_jsonb(c) - 'api_key' || jsonb_build_object('has_api_key', c.api_key IS NOT NULL));
END $f$;

CREATE FUNCTION preset_create(
  p_tenant uuid, p_limit integer, p_name text, p_system_prompt text, p_model text, p_temperature double precision,
  p_max_tokens integer, p_context_messages integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  p presets;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF (SELECT count(*) FROM presets x WHERE x.tenant_id = p_tenant AND x.name <> 'default') >= p_limit THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO presets AS x (tenant_id, name, system_prompt, model, temperature, max_tokens, context_messages)
  VALUES (p_tenant, p_name, p_system_prompt, p_model, p_temperature, p_max_tokens, p_context_messages)
  ON CONFLICT (tenant_id, name) DO NOTHING RETURNING x.* INTO p;
  IF p.name IS NULL THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok', 'preset', to_jsonb(p));
END $f$;
`;
