-- The log. No foreign key to rooms, and no right to insert for the tenant role: only the append inserts, for rooms whose
-- rows it holds (docs/adr/0010). What deletes a room's row deletes its messages first.
--
-- Ids rise with time (UUIDv7): in `messages_id` every new one goes to the right end of one index, not to the end of each
-- room's part of it.
CREATE TABLE messages (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  message_id uuid NOT NULL,
  rev bigint NOT NULL,
  sender_id text COLLATE "C" NOT NULL,
  content text NOT NULL,
  meta json,
  client_message_id text COLLATE "C",
  body_hash bytea,
  kind text NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'assistant', 'system')),
  status text,
  reply_to_seq bigint,
  created_at timestamptz(3) NOT NULL,
  edited_at timestamptz(3),
  deleted_at timestamptz(3),
  PRIMARY KEY (tenant_id, room_id, seq)
);
CREATE UNIQUE INDEX messages_id ON messages (tenant_id, message_id);
CREATE INDEX messages_rev ON messages (tenant_id, room_id, rev);
CREATE UNIQUE INDEX messages_client_id ON messages (tenant_id, room_id, sender_id, client_message_id)
  WHERE client_message_id IS NOT NULL;
-- A room is one tenant's. Without it the planner multiplies the shares of both, expects one row of a room, and reads the
-- whole room by `messages_rev` (docs/adr/0027).
CREATE STATISTICS messages_room (dependencies) ON tenant_id, room_id FROM messages;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON messages TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, UPDATE, DELETE ON messages TO :"tenant";
CREATE POLICY append_rows ON messages TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON messages TO :"append";

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
