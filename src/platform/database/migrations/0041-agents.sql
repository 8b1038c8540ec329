-- Agents in rooms of people (docs/adr/0042). `has_agents`: null where there is none, so that the append of a room without agents
-- asks nothing more. `agent_settings`: max_hops, control; null: the defaults.
ALTER TABLE rooms ADD COLUMN has_agents boolean;
ALTER TABLE rooms ADD COLUMN agent_settings jsonb;
-- Of an agent's answer: whose, how many answers lie between it and a person, and why it is none (one notice stands for what was not answered).
ALTER TABLE runs ADD COLUMN agent_id text COLLATE "C";
ALTER TABLE runs ADD COLUMN hops smallint;
ALTER TABLE runs ADD COLUMN refused text CHECK (refused IN ('pair', 'room', 'queue'));
CREATE INDEX runs_of_agents ON runs (tenant_id, room_id, created_at) WHERE agent_id IS NOT NULL;
CREATE INDEX runs_asked_by ON runs (tenant_id, user_id) WHERE agent_id IS NOT NULL;

-- Agents of rooms of people: members that answer by a preset (docs/adr/0042). The row goes with the member. `paused_until`:
-- silent before it, `infinity`: until somebody resumes it; `named_by`: whose text the name is; `paused_at`: when that began, kept after it.
CREATE TABLE room_agents (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  agent_id text COLLATE "C" NOT NULL,
  preset text COLLATE "C" NOT NULL,
  name text,
  named_by text COLLATE "C",
  respond text NOT NULL CHECK (respond IN ('mention', 'always', 'never')),
  paused_at timestamptz(3),
  paused_until timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, room_id, agent_id),
  FOREIGN KEY (tenant_id, room_id, agent_id) REFERENCES room_members ON DELETE CASCADE
);
ALTER TABLE room_agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON room_agents TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON room_agents TO :"tenant";
-- The append asks whom a message asks.
CREATE POLICY append_rows ON room_agents TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT ON room_agents TO :"append";
