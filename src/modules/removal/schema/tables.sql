-- How far the deletion of a tenant is, and afterwards what it was. No foreign key: it outlives the tenant, and nobody may
-- delete it. `deleted`: rows by table. `request_id` and `address`: of the call that asked for it.
CREATE TABLE tenant_deletions (
  tenant_id uuid PRIMARY KEY,
  deletion_id uuid NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'deleting', 'done', 'failed')),
  deleted jsonb NOT NULL DEFAULT '{}',
  error text,
  request_id text NOT NULL,
  address text,
  started_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz(3)
) WITH (fillfactor = 50);
ALTER TABLE tenant_deletions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_deletions TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE ON tenant_deletions TO :"tenant";
-- What is being taken out of a tenant (docs/adr/0034).
--
-- `user_id` is the one place where the id stands until the end; at the end it is null. `user_mac`: a keyed hash of it, which
-- refuses calls as that user for 24 hours. `erased_id` is random. `found`: what this pass over all steps has found; one that
-- finds nothing is the last.
CREATE TABLE erasures (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  erasure_id uuid NOT NULL,
  user_id text COLLATE "C",
  user_mac bytea,
  mac_key_id text NOT NULL,
  erased_id text COLLATE "C" NOT NULL,
  state text NOT NULL DEFAULT 'refusing' CHECK (state IN ('refusing', 'erasing', 'done', 'failed')),
  step text,
  step_cursor jsonb,
  found bigint NOT NULL DEFAULT 0,
  counts jsonb NOT NULL DEFAULT '{}',
  error text,
  requested_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz(3),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, erasure_id),
  CHECK (state <> 'done' OR user_id IS NULL)
);
CREATE UNIQUE INDEX erasures_user ON erasures (tenant_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX erasures_updated ON erasures (updated_at);
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON erasures TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON erasures TO :"tenant";
-- Learns whose calls are to be refused, and forgets that after a day; sees no id of a user.
CREATE POLICY system_rows ON erasures TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, erasure_id, user_mac, mac_key_id, state, requested_at, updated_at), UPDATE (user_mac) ON erasures
  TO :"system";
