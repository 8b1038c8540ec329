-- A tenant has at most one webhook. One that was taken away keeps its row without a URL: servers look for what changed,
-- and a row that is gone is never seen to have changed.
CREATE TABLE webhooks (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  url text,
  events text[] COLLATE "C" NOT NULL,
  secret text,
  previous_secret text,
  previous_until timestamptz(3),
  failing_since timestamptz(3),
  disabled_at timestamptz(3),
  disabled_reason text,
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX webhooks_updated ON webhooks (updated_at);
ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON webhooks TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks TO :"tenant";
-- Learns which tenants have one; reads no secret.
CREATE POLICY system_rows ON webhooks TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, url, events, disabled_at, updated_at), INSERT ON webhooks TO :"system";

-- A delivery is one webhook-id (docs/adr/0019). Its key is what makes planning it twice harmless.
CREATE TABLE webhook_deliveries (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  delivery_id uuid NOT NULL,
  type text COLLATE "C" NOT NULL,
  room_id uuid,
  subject_id uuid,
  user_ids text[] COLLATE "C",
  body text,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  status integer,
  latency_ms integer,
  answer text,
  error text,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  last_attempt_at timestamptz(3),
  PRIMARY KEY (tenant_id, delivery_id)
);
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (tenant_id, created_at, delivery_id);
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (tenant_id, last_attempt_at) WHERE state = 'dead';
CREATE INDEX webhook_deliveries_purge ON webhook_deliveries (state, created_at);
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON webhook_deliveries TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_deliveries TO :"tenant";
-- Purges and counts; reads nothing of what is posted.
CREATE POLICY system_rows ON webhook_deliveries TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, delivery_id, state, created_at), DELETE ON webhook_deliveries TO :"system";
