-- What was live, by minutes.
CREATE TABLE stats_minutes (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  minute timestamptz(0) NOT NULL,
  connections integer NOT NULL,
  online integer NOT NULL,
  messages_sent bigint NOT NULL,
  deliveries bigint NOT NULL,
  refused bigint NOT NULL,
  tokens bigint NOT NULL,
  p50_ms real,
  p99_ms real,
  PRIMARY KEY (tenant_id, minute)
);
CREATE INDEX stats_minutes_purge ON stats_minutes (minute);
ALTER TABLE stats_minutes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON stats_minutes TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON stats_minutes TO :"tenant";
CREATE POLICY system_rows ON stats_minutes TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON stats_minutes TO :"system";

-- The same of a whole node, every minute that it runs.
CREATE TABLE server_minutes (
  minute timestamptz(0) NOT NULL,
  node_id uuid NOT NULL,
  connections integer NOT NULL,
  online integer NOT NULL,
  messages_sent bigint NOT NULL,
  deliveries bigint NOT NULL,
  refused bigint NOT NULL,
  tokens bigint NOT NULL,
  p50_ms real,
  p99_ms real,
  queue_bytes bigint NOT NULL,
  append_items integer NOT NULL,
  append_oldest_ms real NOT NULL,
  loop_p99_ms real NOT NULL,
  rss_bytes bigint NOT NULL,
  PRIMARY KEY (minute, node_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON server_minutes TO :"system";
