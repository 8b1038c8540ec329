-- Work to be done later (docs/adr/0017). The indexes lead from tenant to tenant and kind to kind past any backlog. Vacuum
-- comes early: a busy queue turns its whole table over within minutes, and a claim walks over what is dead at the front of
-- each tenant.
CREATE TABLE jobs (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  key text COLLATE "C" NOT NULL,
  payload jsonb NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'dead')),
  run_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  attempts integer NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  lease_until timestamptz(3),
  last_error text,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz(3),
  PRIMARY KEY (tenant_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
CREATE INDEX jobs_queued ON jobs (tenant_id, kind, run_at, id) INCLUDE (key) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (tenant_id, kind, key) WHERE state = 'running';
CREATE INDEX jobs_leases ON jobs (kind, lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (tenant_id, kind, ended_at, id) WHERE state = 'dead';
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE state = 'dead';
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON jobs TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO :"tenant";
CREATE POLICY system_rows ON jobs TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO :"system";
-- A run is made of its job.
CREATE POLICY append_rows ON jobs TO :"append" USING (true) WITH CHECK (true);
GRANT INSERT, SELECT (tenant_id, kind, payload) ON jobs TO :"append";
