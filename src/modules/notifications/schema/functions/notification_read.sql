-- status: ok · no_notification
--
-- Locks: the delivery.
--
-- execute: tenant
CREATE FUNCTION notification_read(p_tenant uuid, p_user text, p_id uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  UPDATE notification_deliveries d SET read_at = COALESCE(d.read_at, clock_timestamp()),
    delivered_at = COALESCE(d.delivered_at, clock_timestamp()), dead_at = NULL, dead_letter_id = NULL, error = NULL
  WHERE d.tenant_id = p_tenant AND d.user_id = p_user AND d.notification_id = p_id;
  RETURN jsonb_build_object('status', CASE WHEN FOUND THEN 'ok' ELSE 'no_notification' END);
END $f$;
