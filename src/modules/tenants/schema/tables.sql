-- Tenants, their keys, users and counts. Each table of a tenant has tenant_id first in its key and in its foreign
-- keys, and forced row-level security (docs/adr/0004).
--
-- `deleting_since`: its rows are being deleted, and nobody may add any.
CREATE TABLE tenants (
  tenant_id uuid PRIMARY KEY,
  name text NOT NULL,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  settings jsonb NOT NULL DEFAULT '{}',
  limits jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  deleting_since timestamptz(3),
  CHECK (deleting_since IS NULL OR status = 'suspended')
);
CREATE INDEX tenants_updated ON tenants (updated_at);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenants TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, UPDATE ON tenants TO :"tenant";
CREATE POLICY system_rows ON tenants TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants TO :"system";

CREATE TABLE api_keys (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  key_id uuid NOT NULL,
  name text NOT NULL,
  prefix text NOT NULL,
  hash bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, key_id)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE INDEX api_keys_updated ON api_keys (updated_at);
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON api_keys TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys TO :"tenant";
-- A key is looked up before its tenant is known.
CREATE POLICY system_rows ON api_keys TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON api_keys TO :"system";

-- `first_socket_at`: when a user first opened a socket of /ws/chat, so that `user_created` is told once.
CREATE TABLE users (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL,
  profile jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  last_seen_at timestamptz(3),
  first_socket_at timestamptz(3),
  legal_hold boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX users_held ON users (tenant_id, user_id) WHERE legal_hold;
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON users TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO :"tenant";
-- Writes when users were last connected, once a second for the users of all tenants; sees their ids and nothing else.
CREATE POLICY system_rows ON users TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, user_id, last_seen_at), UPDATE (last_seen_at) ON users TO :"system";

-- How many users and rooms a tenant has: see tenant_counts_add.
CREATE TABLE tenant_counts (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  users bigint NOT NULL DEFAULT 0,
  rooms bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
ALTER TABLE tenant_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_counts TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_counts TO :"tenant";

-- What a transaction adds: counted, and gone again, at its COMMIT.
CREATE TABLE tenant_count_deltas (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  delta_no bigint GENERATED ALWAYS AS IDENTITY,
  users bigint NOT NULL DEFAULT 0,
  rooms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, delta_no)
);
ALTER TABLE tenant_count_deltas ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_count_deltas TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_count_deltas TO :"tenant";

-- Socket tickets that were used. Unlogged: after a crash the table is empty, and a ticket is good for a minute; one that
-- was used just before could then be used once more, by any client that holds it, until it ends.
CREATE UNLOGGED TABLE ws_tickets (
  tenant_id uuid NOT NULL,
  ticket_id uuid NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, ticket_id)
);
CREATE INDEX ws_tickets_expiry ON ws_tickets (expires_at);
ALTER TABLE ws_tickets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON ws_tickets TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON ws_tickets TO :"tenant";
CREATE POLICY system_rows ON ws_tickets TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON ws_tickets TO :"system";
