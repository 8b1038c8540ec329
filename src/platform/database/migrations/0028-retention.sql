-- How long rooms keep their messages, and what a legal hold keeps (docs/adr/0032). The append writes none of these columns: its
-- update of a room stays on the page.
ALTER TABLE rooms ADD COLUMN retention_days integer CHECK (retention_days BETWEEN 1 AND 3650),
  ADD COLUMN legal_hold boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN legal_hold boolean NOT NULL DEFAULT false;
CREATE INDEX rooms_retention ON rooms (tenant_id, room_id) WHERE retention_days IS NOT NULL;
CREATE INDEX rooms_held ON rooms (tenant_id, room_id) WHERE legal_hold;
CREATE INDEX users_held ON users (tenant_id, user_id) WHERE legal_hold;

-- What was edited or deleted under a legal hold, as it was before: nobody is shown it. No foreign key to rooms, as in the log.
-- `rev` is that of the content.
CREATE TABLE held_messages (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  rev bigint NOT NULL,
  sender_id text COLLATE "C" NOT NULL,
  content text NOT NULL,
  meta json,
  held_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, room_id, seq, rev)
);
ALTER TABLE held_messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON held_messages TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON held_messages TO :"tenant";
