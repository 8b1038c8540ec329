-- Who has only ever subscribed to a topic or been notified is a user too. Their rows are added whatever the limit `users` of a
-- tenant is, and counted. The owner is to see all rows, which forced security keeps from it.
ALTER TABLE users NO FORCE ROW LEVEL SECURITY;
ALTER TABLE subscriptions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE notification_deliveries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tenant_counts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE users DISABLE TRIGGER USER;

WITH made AS (
  INSERT INTO users (tenant_id, user_id)
  SELECT tenant_id, user_id FROM subscriptions UNION SELECT tenant_id, user_id FROM notification_deliveries
  ON CONFLICT DO NOTHING RETURNING tenant_id, user_id
)
UPDATE tenant_counts c SET users = c.users + m.n FROM (
  SELECT tenant_id, count(*) AS n FROM made WHERE NOT starts_with(user_id, 'agent_') GROUP BY tenant_id) m
WHERE c.tenant_id = m.tenant_id;

ALTER TABLE users ENABLE TRIGGER USER;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;
ALTER TABLE notification_deliveries FORCE ROW LEVEL SECURITY;
ALTER TABLE tenant_counts FORCE ROW LEVEL SECURITY;
