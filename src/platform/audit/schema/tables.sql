-- What administrators did, and the chain that proves it (docs/adr/0029). The chain of the installation stands under the tenant
-- 0000…0000. No foreign key: that one is in no table, and a tenant's last rows are proven after its own has gone.
--
-- `entry`: the text that was hashed; at, actor, action, target and subject stand in it once more. `subject`: a ref of
-- audit_subjects, as in `actor`. `address`: of persons, outside of the text, so that it can be erased.
CREATE TABLE audit_log (
  tenant_id uuid NOT NULL,
  n bigint NOT NULL,
  at timestamptz(3) NOT NULL,
  actor text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL,
  target text COLLATE "C",
  subject text COLLATE "C",
  entry text NOT NULL,
  key_id text NOT NULL,
  mac bytea NOT NULL,
  address text,
  PRIMARY KEY (tenant_id, n)
);
CREATE INDEX audit_log_at ON audit_log (tenant_id, at, n);
CREATE INDEX audit_log_action ON audit_log (tenant_id, action, n);
CREATE INDEX audit_log_actor ON audit_log (tenant_id, actor, n);
CREATE INDEX audit_log_target ON audit_log (tenant_id, target, n);
CREATE INDEX audit_log_subject ON audit_log (tenant_id, subject, n);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON audit_log TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, DELETE, UPDATE (address) ON audit_log TO :"tenant";
-- A tenant is made by it.
CREATE POLICY system_rows ON audit_log TO :"system" USING (true) WITH CHECK (true);
GRANT INSERT ON audit_log TO :"system";

-- The last row of each chain. `seal` is made with the chain's key: without it the head cannot be put back to an earlier row.
CREATE TABLE audit_heads (
  tenant_id uuid PRIMARY KEY,
  n bigint NOT NULL,
  mac bytea NOT NULL,
  key_id text NOT NULL,
  seal bytea NOT NULL
) WITH (fillfactor = 50);
ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON audit_heads TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_heads TO :"tenant";
CREATE POLICY system_rows ON audit_heads TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON audit_heads TO :"system";

-- Whom a ref in the log means. Outside of the chain: without its row here a person is nobody, and the chain still holds.
CREATE TABLE audit_subjects (
  tenant_id uuid NOT NULL,
  ref text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, ref)
);
CREATE UNIQUE INDEX audit_subjects_user ON audit_subjects (tenant_id, user_id);
ALTER TABLE audit_subjects ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON audit_subjects TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_subjects TO :"tenant";
