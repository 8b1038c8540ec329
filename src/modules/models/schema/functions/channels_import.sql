-- Makes the model channels of an import whose names are free, without a key; returns how many. p_rows: an array of channels, as
-- lines of an export have them.
--
-- execute: tenant
CREATE FUNCTION channels_import(p_tenant uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  made integer;
BEGIN
  INSERT INTO model_channels (tenant_id, channel_id, name, provider, base_url, model, priority, weight, enabled, max_tokens,
    temperature, timeout_ms, options, created_at, updated_at)
  SELECT p_tenant, x.channel_id, x.name, x.provider, x.base_url, x.model, x.priority, x.weight, x.enabled, x.max_tokens,
    x.temperature, x.timeout_ms, x.options, x.created_at, x.updated_at
  FROM json_to_recordset(p_rows) x(channel_id uuid, name text, provider text, base_url text, model text, priority integer,
    weight integer, enabled boolean, max_tokens integer, temperature double precision, timeout_ms integer, options jsonb,
    created_at timestamptz, updated_at timestamptz)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $f$;
