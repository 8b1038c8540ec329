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

-- States of messages: what changes on its own, in the present form, with the room's revision of its last change
-- (docs/adr/0043). No foreign key to rooms, as in the log. What deletes a message deletes its states.
--
-- Who reacted with what. By the user first: what one has set on a message or a page, and all that one has set, is a range.
-- The other index is the order in which a key was given, for lists, for the first three, and for what goes with the message.
CREATE TABLE message_reactions (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  rev bigint NOT NULL,
  created_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, user_id, room_id, seq, key)
);
CREATE UNIQUE INDEX message_reactions_order ON message_reactions (tenant_id, room_id, seq, key, rev);
ALTER TABLE message_reactions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON message_reactions TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, DELETE ON message_reactions TO :"tenant";
CREATE POLICY append_rows ON message_reactions TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON message_reactions TO :"append";

-- What is shown of them: `counts` is [{key, count, users}], in the order in which the keys came, with the first three users of
-- each. The row stays when the last reaction has gone: that, too, is told.
CREATE TABLE message_reaction_counts (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  message_id uuid NOT NULL,
  rev bigint NOT NULL,
  counts jsonb NOT NULL,
  PRIMARY KEY (tenant_id, room_id, seq)
);
CREATE INDEX message_reaction_counts_rev ON message_reaction_counts (tenant_id, room_id, rev);
ALTER TABLE message_reaction_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON message_reaction_counts TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, UPDATE, DELETE ON message_reaction_counts TO :"tenant";
CREATE POLICY append_rows ON message_reaction_counts TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON message_reaction_counts TO :"append";

-- Pinned messages; `pinned_at` null: it was, and is not any more, which is told as well.
CREATE TABLE room_pins (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  message_id uuid NOT NULL,
  rev bigint NOT NULL,
  pinned_by text COLLATE "C",
  pinned_at timestamptz(3),
  PRIMARY KEY (tenant_id, room_id, seq)
);
CREATE INDEX room_pins_rev ON room_pins (tenant_id, room_id, rev);
CREATE INDEX room_pins_now ON room_pins (tenant_id, room_id, pinned_at) WHERE pinned_at IS NOT NULL;
CREATE INDEX room_pins_by ON room_pins (tenant_id, pinned_by) WHERE pinned_by IS NOT NULL;
ALTER TABLE room_pins ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON room_pins TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, UPDATE, DELETE ON room_pins TO :"tenant";
CREATE POLICY append_rows ON room_pins TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON room_pins TO :"append";
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
