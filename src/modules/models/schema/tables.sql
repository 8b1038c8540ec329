-- `options`: what a channel or a preset is given beyond its columns, an object that only the server reads, so that the next
-- parameter of some provider needs no column. `api_key` is sealed (platform/secrets).
CREATE TABLE model_channels (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  channel_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  provider text NOT NULL,
  base_url text NOT NULL,
  api_key text,
  model text NOT NULL,
  priority integer NOT NULL,
  weight integer NOT NULL,
  enabled boolean NOT NULL,
  max_tokens integer,
  temperature double precision,
  timeout_ms integer NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  options jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, channel_id)
);
CREATE UNIQUE INDEX model_channels_name ON model_channels (tenant_id, name);
ALTER TABLE model_channels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON model_channels TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON model_channels TO :"tenant";

-- The preset `default` has a row only where a tenant has changed it.
CREATE TABLE presets (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  system_prompt text NOT NULL,
  model text,
  temperature double precision,
  max_tokens integer,
  context_messages integer NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  options jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, name)
);
ALTER TABLE presets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON presets TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON presets TO :"tenant";
