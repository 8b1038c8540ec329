-- Rooms, their members, and their changes that are no messages.
--
-- `rooms` has fillfactor 50 and no index on what the append changes, so that its update stays on the page (HOT).
-- `metadata` is json, which keeps the order of its keys. `retention_days`: null is the tenant's (docs/adr/0032).
-- `described_by`: whose text may stand in name and metadata; null, and '' in it: of users whom nobody knows (docs/adr/0034).
-- `settings`: null, and what it does not name: the defaults; `has_states`: null where no state of a message was ever set, so
-- that reads of such a room ask nothing more (docs/adr/0043).
-- `has_agents`: null where it has none; `agent_settings`: max_hops, control, null: the defaults (docs/adr/0042).
CREATE TABLE rooms (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('dm', 'group', 'channel', 'ai')),
  unique_key text COLLATE "C",
  name text,
  metadata json,
  posting text NOT NULL DEFAULT 'members' CHECK (posting IN ('members', 'admins')),
  first_seq bigint NOT NULL DEFAULT 1,
  last_seq bigint NOT NULL DEFAULT 0,
  last_rev bigint NOT NULL DEFAULT 0,
  member_count integer NOT NULL DEFAULT 0,
  members_added bigint NOT NULL DEFAULT 0,
  last_message_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  deleted_at timestamptz(3),
  first_rev bigint NOT NULL DEFAULT 0,
  retention_days integer CHECK (retention_days BETWEEN 1 AND 3650),
  legal_hold boolean NOT NULL DEFAULT false,
  described_by text[] COLLATE "C",
  has_agents boolean,
  agent_settings jsonb,
  settings jsonb,
  has_states boolean,
  PRIMARY KEY (tenant_id, room_id)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX rooms_unique_key ON rooms (tenant_id, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX rooms_channels ON rooms (tenant_id, created_at, room_id) WHERE type = 'channel' AND deleted_at IS NULL;
CREATE INDEX rooms_retention ON rooms (tenant_id, room_id) WHERE retention_days IS NOT NULL;
CREATE INDEX rooms_held ON rooms (tenant_id, room_id) WHERE legal_hold;
CREATE INDEX rooms_type ON rooms (tenant_id, type, room_id) WHERE deleted_at IS NULL;
CREATE INDEX rooms_name ON rooms (tenant_id, type, (lower(name) COLLATE "C"), room_id)
  WHERE deleted_at IS NULL AND name IS NOT NULL;
ALTER TABLE rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON rooms TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON rooms TO :"tenant";
CREATE POLICY system_rows ON rooms TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT ON rooms TO :"system";
CREATE POLICY append_rows ON rooms TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON rooms TO :"append";

-- The indexes are such that the planner finds one member by the primary key alone. `room_members_order` is partial: with
-- (tenant_id, room_id) in front it would cost the planner as much, and then all members of the room would be read.
-- `room_members_rooms` names the room too: without it, all rooms of a user who is in thousands would be; with joined_seq
-- inside, a user's rooms are listed from the index alone.
CREATE TABLE room_members (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'member', 'agent')),
  joined_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  joined_seq bigint NOT NULL,
  member_no bigint NOT NULL,
  PRIMARY KEY (tenant_id, room_id, user_id),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE UNIQUE INDEX room_members_order ON room_members (tenant_id, room_id, member_no) WHERE member_no > 0;
CREATE INDEX room_members_rooms ON room_members (tenant_id, user_id, room_id) INCLUDE (joined_seq);
ALTER TABLE room_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON room_members TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON room_members TO :"tenant";
CREATE POLICY append_rows ON room_members TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT ON room_members TO :"append";

-- What a member has set for themselves in a room; no row: the defaults.
CREATE TABLE member_settings (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  muted_until timestamptz(3),
  is_hidden boolean NOT NULL DEFAULT false,
  is_favourite boolean NOT NULL DEFAULT false,
  notify text NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mentions', 'none')),
  PRIMARY KEY (tenant_id, room_id, user_id),
  FOREIGN KEY (tenant_id, room_id, user_id) REFERENCES room_members ON DELETE CASCADE
);
ALTER TABLE member_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON member_settings TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON member_settings TO :"tenant";

CREATE TABLE room_events (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  rev bigint NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, room_id, rev),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE
);
ALTER TABLE room_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON room_events TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON room_events TO :"tenant";

-- Rooms that imports have made, or are making. Until `is_done` the room is under construction: its row is marked as deleted,
-- nobody is shown it, and its import alone writes to it. `last_seq`, `last_rev`: where the log ended that was imported; who is
-- connected comes in there. No foreign key to rooms: what was imported once is not imported again when it is gone.
CREATE TABLE import_rooms (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  import_id uuid NOT NULL,
  is_done boolean NOT NULL DEFAULT false,
  last_seq bigint NOT NULL DEFAULT 0,
  last_rev bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, room_id)
);
ALTER TABLE import_rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON import_rooms TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON import_rooms TO :"tenant";
CREATE POLICY append_rows ON import_rooms TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT ON import_rooms TO :"append";
