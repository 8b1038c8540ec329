-- How far each member is, and what their connections gave up on.
--
-- `has_dead_letters`: whether the member may have dead letters in the room: an ack looks for them only then. `unread_seq`: the member
-- has marked the room unread from this message on, until they read the next time.
CREATE TABLE cursors (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  acked_seq bigint NOT NULL DEFAULT 0,
  read_seq bigint NOT NULL DEFAULT 0,
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  has_dead_letters boolean NOT NULL DEFAULT false,
  unread_seq bigint,
  PRIMARY KEY (tenant_id, room_id, user_id),
  CHECK (read_seq <= acked_seq)
) WITH (fillfactor = 70);
CREATE INDEX cursors_user ON cursors (tenant_id, user_id, room_id);
ALTER TABLE cursors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON cursors TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON cursors TO :"tenant";

-- One row per run of consecutive messages of one member in one room; runs of a member neither overlap nor touch.
CREATE TABLE dead_letters (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  letter_no bigint NOT NULL,
  attempts integer NOT NULL,
  last_attempt_at timestamptz(3) NOT NULL,
  error text NOT NULL,
  PRIMARY KEY (tenant_id, room_id, user_id, from_seq),
  CHECK (from_seq <= to_seq),
  FOREIGN KEY (tenant_id, room_id, user_id) REFERENCES room_members ON DELETE CASCADE
);
CREATE INDEX dead_letters_newest ON dead_letters (tenant_id, last_attempt_at);
CREATE INDEX dead_letters_no ON dead_letters (tenant_id, letter_no);
ALTER TABLE dead_letters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON dead_letters TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letters TO :"tenant";
-- Counts.
CREATE POLICY system_rows ON dead_letters TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT ON dead_letters TO :"system";
