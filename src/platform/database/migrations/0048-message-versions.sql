-- What an edited message said before, in tenants that keep that. `rev` is that of the content, `said_at` when it was said. No foreign key
-- to rooms, as in the log.
CREATE TABLE message_versions (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  rev bigint NOT NULL,
  content text NOT NULL,
  meta json,
  said_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, room_id, seq, rev)
);
ALTER TABLE message_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON message_versions TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON message_versions TO :"tenant";
