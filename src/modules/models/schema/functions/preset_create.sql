-- status: ok · full · taken
--
-- Locks: the tenant, before it counts: two at a time would both find room for one.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION preset_create(p_tenant uuid, p_limit integer, p_values jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  v presets := jsonb_populate_record(NULL::presets, p_values);
  p presets;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF (SELECT count(*) FROM presets x WHERE x.tenant_id = p_tenant AND x.name <> 'default') >= p_limit THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO presets AS x (tenant_id, name, system_prompt, model, temperature, max_tokens, context_messages, options)
  VALUES (p_tenant, v.name, v.system_prompt, v.model, v.temperature, v.max_tokens, v.context_messages, v.options)
  ON CONFLICT (tenant_id, name) DO NOTHING RETURNING x.* INTO p;
  IF p.name IS NULL THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok', 'preset', to_jsonb(p));
END $f$;
