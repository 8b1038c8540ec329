-- What each tenant uses, by UTC days (docs/adr/0031).
--
-- `storage_delta`: by how many bytes contents and metas of messages have grown; what is stored at the end of a day is the
-- sum up to it. `part`: who adds to the row, so that no two transactions wait for one another; parts of days gone are
-- brought together in part 0. Deliveries, posts and connections are written each minute and are approximate.
-- `cost`: of answers, by the prices of their channels, as far as these were known.
CREATE TABLE usage_days (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  day date NOT NULL,
  part integer NOT NULL,
  messages_sent bigint NOT NULL DEFAULT 0,
  storage_delta bigint NOT NULL DEFAULT 0,
  runs bigint NOT NULL DEFAULT 0,
  prompt_tokens bigint NOT NULL DEFAULT 0,
  completion_tokens bigint NOT NULL DEFAULT 0,
  estimated_tokens bigint NOT NULL DEFAULT 0,
  deliveries bigint NOT NULL DEFAULT 0,
  webhook_posts bigint NOT NULL DEFAULT 0,
  peak_connections integer NOT NULL DEFAULT 0,
  cost numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, part)
) WITH (fillfactor = 50);
CREATE INDEX usage_days_parts ON usage_days (tenant_id, day) WHERE part <> 0;
ALTER TABLE usage_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON usage_days TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_days TO :"tenant";
-- Writes what the connections and webhooks of all tenants did within a minute.
CREATE POLICY system_rows ON usage_days TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON usage_days TO :"system";

-- By sender, and by who asked a model. The keys are in the order in which lists are read: one user after the other.
CREATE TABLE usage_users (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  messages_sent bigint NOT NULL DEFAULT 0,
  runs bigint NOT NULL DEFAULT 0,
  prompt_tokens bigint NOT NULL DEFAULT 0,
  completion_tokens bigint NOT NULL DEFAULT 0,
  estimated_tokens bigint NOT NULL DEFAULT 0,
  cost numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, user_id, day)
);
ALTER TABLE usage_users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON usage_users TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_users TO :"tenant";

-- By room; it stays when the room is gone.
CREATE TABLE usage_chats (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  day date NOT NULL,
  messages_sent bigint NOT NULL DEFAULT 0,
  runs bigint NOT NULL DEFAULT 0,
  prompt_tokens bigint NOT NULL DEFAULT 0,
  completion_tokens bigint NOT NULL DEFAULT 0,
  estimated_tokens bigint NOT NULL DEFAULT 0,
  cost numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, room_id, day)
);
ALTER TABLE usage_chats ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON usage_chats TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_chats TO :"tenant";

-- By model channel and preset; '' where a run ended before it had one.
CREATE TABLE usage_models (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  channel text COLLATE "C" NOT NULL,
  preset text COLLATE "C" NOT NULL,
  day date NOT NULL,
  runs bigint NOT NULL DEFAULT 0,
  prompt_tokens bigint NOT NULL DEFAULT 0,
  completion_tokens bigint NOT NULL DEFAULT 0,
  estimated_tokens bigint NOT NULL DEFAULT 0,
  cost numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, channel, preset, day)
);
ALTER TABLE usage_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON usage_models TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_models TO :"tenant";

-- Up to which message a room is counted. Whoever counts, or changes a message's size, holds the row until its commit.
CREATE TABLE usage_rooms (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  counted_seq bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, room_id),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE
) WITH (fillfactor = 70);
ALTER TABLE usage_rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON usage_rooms TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_rooms TO :"tenant";

-- What was committed before `complete_to` is counted.
CREATE TABLE usage_state (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  complete_to timestamptz(3) NOT NULL
);
ALTER TABLE usage_state ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON usage_state TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_state TO :"tenant";
