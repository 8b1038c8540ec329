-- Imports, and the rooms that they make (docs/adr/0036). `parts`: the highest number of a part that was sent. `sha256`: of the
-- whole file, as it was validated. `keeps_ids`: decided when it starts. `counts`: what it has made, by kinds of lines.
CREATE TABLE imports (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  import_id uuid NOT NULL,
  source text NOT NULL CHECK (source IN ('chatapi', 'slack', 'stream')),
  state text NOT NULL DEFAULT 'uploading'
    CHECK (state IN ('uploading', 'validating', 'valid', 'invalid', 'running', 'done', 'failed')),
  parts integer NOT NULL DEFAULT 0,
  bytes bigint,
  sha256 bytea,
  faults jsonb NOT NULL DEFAULT '[]',
  fault_count bigint NOT NULL DEFAULT 0,
  counts jsonb NOT NULL DEFAULT '{}',
  keeps_ids boolean,
  error text,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, import_id)
);
ALTER TABLE imports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON imports TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON imports TO :"tenant";

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
