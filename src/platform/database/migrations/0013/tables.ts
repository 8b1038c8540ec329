/** `api_key` is sealed (platform/secrets); the preset `default` has a row only where a tenant has changed it. */
export const TABLES = `
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
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, channel_id)
);
CREATE UNIQUE INDEX model_channels_name ON model_channels (tenant_id, name);

CREATE TABLE presets (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  system_prompt text NOT NULL,
  model text,
  temperature double precision,
  max_tokens integer,
  context_messages integer NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, name)
);
`;
