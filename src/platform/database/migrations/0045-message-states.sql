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
