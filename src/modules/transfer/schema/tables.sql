-- Exports of tenants and of users' data: their files lie in DATA_DIR/exports.
--
-- `attempt`: counts those who began to write it; the file of a finished one carries the number. `expires_at`: when the file
-- goes, or when it failed. `exports_open`: one at a time of a tenant, and of each user.
CREATE TABLE exports (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  export_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('tenant', 'user')),
  user_id text COLLATE "C" CHECK ((user_id IS NOT NULL) = (kind = 'user')),
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'ready', 'failed', 'expired')),
  attempt integer NOT NULL DEFAULT 0,
  line_count bigint,
  bytes bigint,
  sha256 bytea,
  error text,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  ready_at timestamptz(3),
  expires_at timestamptz(3),
  PRIMARY KEY (tenant_id, export_id)
);
CREATE UNIQUE INDEX exports_open ON exports (tenant_id, COALESCE(user_id, '')) WHERE state IN ('queued', 'running');
CREATE INDEX exports_expiry ON exports (expires_at);
ALTER TABLE exports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON exports TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON exports TO :"tenant";
-- Finds what has expired, and the files that belong to nothing, of all tenants.
CREATE POLICY system_rows ON exports TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE, DELETE ON exports TO :"system";
