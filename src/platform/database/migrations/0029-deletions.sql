-- The deletion of tenants (docs/adr/0033). A server of the release before refuses the calls of one that is being deleted as those
-- of one that is suspended.
ALTER TABLE tenants ADD COLUMN deleting_since timestamptz(3),
  ADD CHECK (deleting_since IS NULL OR status = 'suspended');

-- No foreign key: it outlives the tenant.
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
