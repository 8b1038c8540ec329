-- Chats with a model, the runs that answer in them, and the tokens of a run as they came (docs/adr/0022).
--
-- A chat's name, metadata, positions and messages are those of its room. `chats_active`: at most one conversation that
-- takes what names none. `external_id`: what the user's own client calls the chat, one chat per user and id; a deleted chat
-- leaves its id free.
CREATE TABLE chats (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  group_id text COLLATE "C",
  preset text COLLATE "C" NOT NULL,
  auto_title boolean NOT NULL,
  is_active boolean NOT NULL DEFAULT false,
  cleared_seq bigint NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  active_at timestamptz(3) NOT NULL DEFAULT statement_timestamp(),
  deleted_at timestamptz(3),
  external_id text COLLATE "C",
  PRIMARY KEY (tenant_id, room_id),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE
);
CREATE UNIQUE INDEX chats_active ON chats (tenant_id, user_id, COALESCE(group_id, ''), preset) WHERE is_active;
CREATE UNIQUE INDEX chats_external ON chats (tenant_id, user_id, external_id)
  WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX chats_created ON chats (tenant_id, created_at, room_id) WHERE deleted_at IS NULL;
CREATE INDEX chats_recent ON chats (tenant_id, active_at, room_id) WHERE deleted_at IS NULL;
CREATE INDEX chats_user_created ON chats (tenant_id, user_id, created_at, room_id) WHERE deleted_at IS NULL;
CREATE INDEX chats_user_recent ON chats (tenant_id, user_id, active_at, room_id) WHERE deleted_at IS NULL;
ALTER TABLE chats ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON chats TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON chats TO :"tenant";

-- `options`: what the model is asked with beyond the preset, as the request said it, in its order. `runs_silent`: answers
-- without a word are counted without looking at the others. `is_counted`: in the figures of usage; null until it is. `cost`:
-- what it has cost by its channel's prices; null where that is not known. Of an agent in a room of people (docs/adr/0042): `agent_id`; `hops`, how many answers lie between
-- it and a person; `refused`, why it asks no model and is a notice; `user_id` is then the person at the root. `reasoning`: what the
-- model thought, where the preset has it kept; it goes with its answer.
CREATE TABLE runs (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  reply_to_seq bigint NOT NULL,
  state text NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'streaming', 'completed', 'cancelled', 'interrupted', 'failed')),
  fence bigint NOT NULL DEFAULT 0,
  is_cancelled boolean NOT NULL DEFAULT false,
  answer_seq bigint,
  token_count integer,
  channel text,
  model text,
  finish_reason text,
  prompt_tokens bigint,
  completion_tokens bigint,
  total_tokens bigint,
  estimated boolean,
  error_code text,
  error_message text,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz(3),
  ended_at timestamptz(3),
  options json,
  is_counted boolean,
  cost numeric,
  agent_id text COLLATE "C",
  hops smallint,
  refused text CHECK (refused IN ('pair', 'room', 'queue')),
  reasoning text,
  PRIMARY KEY (tenant_id, run_id),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX runs_reply ON runs (tenant_id, room_id, reply_to_seq, created_at);
CREATE INDEX runs_unfinished ON runs (tenant_id, room_id) WHERE state IN ('queued', 'streaming');
CREATE INDEX runs_ended ON runs (tenant_id, ended_at, user_id) INCLUDE (total_tokens) WHERE ended_at IS NOT NULL;
CREATE INDEX runs_silent ON runs (tenant_id, room_id) WHERE token_count = 0 AND answer_seq IS NOT NULL;
CREATE INDEX runs_of_agents ON runs (tenant_id, room_id, created_at) WHERE agent_id IS NOT NULL;
CREATE INDEX runs_asked_by ON runs (tenant_id, user_id) WHERE agent_id IS NOT NULL;
CREATE INDEX runs_uncounted ON runs (tenant_id, run_id) WHERE ended_at IS NOT NULL AND is_counted IS NULL;
ALTER TABLE runs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON runs TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON runs TO :"tenant";
-- Writes the tokens of all tenants' runs, and purges them; looks how runs stand that are followed; reads no chat.
CREATE POLICY system_rows ON runs TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, run_id, room_id, state, fence, is_cancelled) ON runs TO :"system";
-- The append makes a run with its message and ends it with its answer.
CREATE POLICY append_rows ON runs TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON runs TO :"append";

-- `ends`: where each token of the chunk ends in its text, in UTF-16 units.
CREATE TABLE run_chunks (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,
  first_index integer NOT NULL,
  text text NOT NULL,
  ends integer[] NOT NULL,
  expires_at timestamptz(3) NOT NULL DEFAULT clock_timestamp() + interval '1 hour',
  PRIMARY KEY (tenant_id, run_id, first_index),
  FOREIGN KEY (tenant_id, run_id) REFERENCES runs ON DELETE CASCADE
);
CREATE INDEX run_chunks_expiry ON run_chunks (expires_at);
ALTER TABLE run_chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON run_chunks TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON run_chunks TO :"tenant";
CREATE POLICY system_rows ON run_chunks TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, run_id, first_index, ends, expires_at), INSERT, DELETE ON run_chunks TO :"system";
-- A charge whose run has no count ends by what is stored of the answer.
CREATE POLICY append_rows ON run_chunks TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, run_id, text) ON run_chunks TO :"append";

-- What calls of models have cost, one row each (docs/adr/0041): while a call runs it holds `reserved` tokens of the budgets of
-- its day, once it has ended `tokens`, for good. `charge_id`: of an answer its run's; the row outlives it. `room_id`: null of a
-- call that is no run's. `day`: UTC, of the reservation, by the database's clock. `prices`: per million tokens, of the dearest
-- channel that could answer. `is_folded`: it is in the sums of charge_days.
CREATE TABLE charges (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  charge_id uuid NOT NULL,
  day date NOT NULL,
  user_id text COLLATE "C",
  room_id uuid,
  context_tokens bigint NOT NULL,
  reserved bigint NOT NULL,
  price_input numeric NOT NULL DEFAULT 0,
  price_output numeric NOT NULL DEFAULT 0,
  reserved_cost numeric NOT NULL DEFAULT 0,
  tokens bigint,
  cost numeric,
  is_folded boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz(3),
  PRIMARY KEY (tenant_id, charge_id)
) WITH (fillfactor = 70);
CREATE INDEX charges_unfolded ON charges (tenant_id, day) WHERE NOT is_folded;
CREATE INDEX charges_of_user ON charges (tenant_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX charges_purge ON charges (day);
ALTER TABLE charges ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON charges TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON charges TO :"tenant";
-- Drops those of all tenants that are old.
CREATE POLICY system_rows ON charges TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, charge_id, day), DELETE ON charges TO :"system";
-- The append ends a charge with its run.
CREATE POLICY append_rows ON charges TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON charges TO :"append";

-- What is folded of a day's charges, of the tenant ('' as its subject), its users and chats. Whoever reserves holds the tenant's
-- row. `warned`: limits of which it was told that they are nearly spent.
CREATE TABLE charge_days (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  day date NOT NULL,
  scope text NOT NULL CHECK (scope IN ('tenant', 'user', 'chat')),
  subject text COLLATE "C" NOT NULL,
  tokens bigint NOT NULL DEFAULT 0,
  cost numeric NOT NULL DEFAULT 0,
  warned text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, day, scope, subject)
) WITH (fillfactor = 50);
CREATE INDEX charge_days_purge ON charge_days (day);
ALTER TABLE charge_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON charge_days TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON charge_days TO :"tenant";
CREATE POLICY system_rows ON charge_days TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, day, scope, subject), DELETE ON charge_days TO :"system";

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
