-- recorded as: TenantCounts1765152000000
-- How many users and rooms each tenant has; the triggers that go on counting come with their functions.
--
-- Nobody makes a user or a room between the count and the triggers: this takes the tables' strongest lock. The owner is to
-- see all rows, which forced security keeps from it.
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
ALTER TABLE users NO FORCE ROW LEVEL SECURITY;
ALTER TABLE rooms NO FORCE ROW LEVEL SECURITY;

CREATE TABLE tenant_counts (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  users bigint NOT NULL DEFAULT 0,
  rooms bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE tenant_count_deltas (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  delta_no bigint GENERATED ALWAYS AS IDENTITY,
  users bigint NOT NULL DEFAULT 0,
  rooms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, delta_no)
);

INSERT INTO tenant_counts (tenant_id, users, rooms)
SELECT t.tenant_id, COALESCE(u.n, 0), COALESCE(r.n, 0) FROM tenants t
LEFT JOIN (SELECT tenant_id, count(*) AS n FROM users WHERE NOT starts_with(user_id, 'agent_') GROUP BY tenant_id) u
  USING (tenant_id)
LEFT JOIN (SELECT tenant_id, count(*) AS n FROM rooms WHERE deleted_at IS NULL GROUP BY tenant_id) r USING (tenant_id);

ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE rooms FORCE ROW LEVEL SECURITY;

ALTER TABLE tenant_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_counts TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_counts TO :"tenant";
ALTER TABLE tenant_count_deltas ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_count_deltas TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_count_deltas TO :"tenant";
