-- Makes the subscriptions of an import that are not there yet; returns how many. p_rows: an array of subscriptions, as lines of an
-- export have them.
--
-- execute: tenant
CREATE FUNCTION subscriptions_import(p_tenant uuid, p_rows json) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  made integer;
BEGIN
  INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic, created_at)
  SELECT p_tenant, x.subscription_id, x.user_id, x.topic, x.created_at
  FROM json_to_recordset(p_rows) x(subscription_id uuid, user_id text, topic text, created_at timestamptz)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $f$;
