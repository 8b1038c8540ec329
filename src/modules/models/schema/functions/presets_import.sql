-- Makes the presets of an import whose names are free; returns how many. p_rows: an array of presets, as lines of an export have
-- them.
--
-- execute: tenant
CREATE FUNCTION presets_import(p_tenant uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  made integer;
BEGIN
  INSERT INTO presets (tenant_id, name, system_prompt, model, temperature, max_tokens, context_messages, options, created_at,
    updated_at)
  SELECT p_tenant, x.name, x.system_prompt, x.model, x.temperature, x.max_tokens, x.context_messages, x.options,
    x.created_at, x.updated_at
  FROM json_to_recordset(p_rows) x(name text, system_prompt text, model text, temperature double precision,
    max_tokens integer, context_messages integer, options jsonb, created_at timestamptz, updated_at timestamptz)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $f$;
