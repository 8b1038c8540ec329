-- Notifications, their deliveries, and the subscriptions to topics. The key of a delivery is what makes it one per user.
CREATE TABLE notifications (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  notification_id uuid NOT NULL,
  topic text COLLATE "C" NOT NULL,
  payload json NOT NULL,
  user_ids text[] COLLATE "C" NOT NULL,
  room_id uuid,
  topic_subscribers boolean NOT NULL,
  fanned_to text COLLATE "C" NOT NULL DEFAULT '',
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, notification_id)
);
ALTER TABLE notifications ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON notifications TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications TO :"tenant";

-- Made by the fan-out, a thousand at a time, so it has the indexes it cannot do without: what waits for a user, what a user
-- has not read, what has waited too long. Dead letters are few.
CREATE TABLE notification_deliveries (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL,
  notification_id uuid NOT NULL,
  waits_since timestamptz(3) NOT NULL,
  delivered_at timestamptz(3),
  read_at timestamptz(3),
  dead_at timestamptz(3),
  dead_letter_id uuid,
  attempts integer NOT NULL DEFAULT 0,
  error text,
  dropped boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, user_id, notification_id)
);
CREATE INDEX notification_deliveries_pending ON notification_deliveries (tenant_id, user_id, notification_id)
  WHERE delivered_at IS NULL;
CREATE INDEX notification_deliveries_unread ON notification_deliveries (tenant_id, user_id) WHERE read_at IS NULL;
CREATE INDEX notification_deliveries_waiting ON notification_deliveries (waits_since)
  WHERE delivered_at IS NULL AND dead_at IS NULL AND NOT dropped;
CREATE INDEX notification_deliveries_dead ON notification_deliveries (tenant_id, dead_at) WHERE dead_at IS NOT NULL;
CREATE UNIQUE INDEX notification_deliveries_letter ON notification_deliveries (tenant_id, dead_letter_id)
  WHERE dead_letter_id IS NOT NULL;
ALTER TABLE notification_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON notification_deliveries TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_deliveries TO :"tenant";
-- Settles deliveries of all tenants in one statement; sees neither what a notification says nor its subscribers.
CREATE POLICY system_rows ON notification_deliveries TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON notification_deliveries TO :"system";

CREATE TABLE subscriptions (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  subscription_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, subscription_id)
);
CREATE UNIQUE INDEX subscriptions_topic ON subscriptions (tenant_id, topic, user_id);
CREATE INDEX subscriptions_user ON subscriptions (tenant_id, user_id, subscription_id);
ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON subscriptions TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON subscriptions TO :"tenant";
