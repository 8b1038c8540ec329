-- The order in which rooms of a tenant changed, for its back ends (docs/adr/0044).
--
-- `tenant_feeds`: one row of each tenant that has ever asked. `epoch`: of the log when collecting began; with another one it begins
-- anew. `began_at`, `began_before`: when that was, and the oldest transaction that ran then; what a room had got up to before is read
-- from the room. `gone_no`: entries up to this one are no more. `asked_at` is written once an hour, `swept_at` by each look at all
-- rooms. The collector holds this row: numbers are given in the order in which they are seen.
CREATE TABLE tenant_feeds (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  is_collected boolean NOT NULL DEFAULT true,
  epoch bigint NOT NULL,
  gone_no bigint NOT NULL DEFAULT 0,
  last_no bigint NOT NULL DEFAULT 0,
  began_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  began_before bigint NOT NULL,
  asked_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  swept_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
ALTER TABLE tenant_feeds ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_feeds TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_feeds TO :"tenant";
-- Every node knows whose changes are collected.
CREATE POLICY system_rows ON tenant_feeds TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT ON tenant_feeds TO :"system";

-- Changes of one room, after one revision and up to another: what they are stands in the room's log. No gaps in `no`.
CREATE TABLE tenant_feed (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  no bigint NOT NULL,
  room_id uuid NOT NULL,
  from_rev bigint NOT NULL,
  to_rev bigint NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, no),
  CHECK (from_rev < to_rev)
);
ALTER TABLE tenant_feed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_feed TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_feed TO :"tenant";

-- Up to which revision each room's changes are in the feed. No foreign key to rooms: its check would lock rows that the append
-- updates all the time. The collector takes away what is of no room, with a last entry.
CREATE TABLE tenant_feed_rooms (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  collected_rev bigint NOT NULL,
  PRIMARY KEY (tenant_id, room_id)
) WITH (fillfactor = 70);
ALTER TABLE tenant_feed_rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_feed_rooms TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_feed_rooms TO :"tenant";
