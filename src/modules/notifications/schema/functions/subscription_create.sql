-- A second one of the same user and topic is answered with the first. status: ok · gone (taken away meanwhile)
--
-- execute: tenant
CREATE FUNCTION subscription_create(p_tenant uuid, p_id uuid, p_user text, p_topic text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  s subscriptions;
BEGIN
  INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic) VALUES (p_tenant, p_id, p_user, p_topic)
  ON CONFLICT (tenant_id, topic, user_id) DO NOTHING;
  SELECT x.* INTO s FROM subscriptions x WHERE x.tenant_id = p_tenant AND x.topic = p_topic AND x.user_id = p_user;
  RETURN jsonb_build_object('status', CASE WHEN s.subscription_id IS NULL THEN 'gone' ELSE 'ok' END,
    'created', s.subscription_id = p_id, 'subscription', to_jsonb(s));
END $f$;
