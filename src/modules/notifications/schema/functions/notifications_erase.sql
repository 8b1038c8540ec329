-- A batch of the erase of a user from notifications: their deliveries and subscriptions first; then all notifications are walked
-- in the order of their ids, and those for them alone go, others lose them as a target. What was under way to the others begins
-- anew: nobody has a delivery twice.
--
-- execute: tenant
CREATE FUNCTION notifications_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  behind uuid := COALESCE((p_after->>'notification')::uuid, '00000000-0000-0000-0000-000000000000');
  through uuid;
  deliveries bigint;
  ended bigint;
  gone bigint;
  changed bigint;
BEGIN
  IF NOT COALESCE(p_after ? 'notification', false) THEN
    DELETE FROM notification_deliveries d WHERE d.tenant_id = p_tenant AND d.user_id = p_user
      AND d.notification_id = ANY (ARRAY(SELECT x.notification_id FROM notification_deliveries x
        WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.notification_id LIMIT p_limit));
    GET DIAGNOSTICS deliveries = ROW_COUNT;
    DELETE FROM subscriptions s WHERE s.tenant_id = p_tenant AND s.subscription_id = ANY (ARRAY(
      SELECT x.subscription_id FROM subscriptions x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
      ORDER BY x.subscription_id LIMIT p_limit));
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN jsonb_build_object('counts', jsonb_build_object('notifications', deliveries, 'subscriptions', ended),
      'after', CASE WHEN GREATEST(deliveries, ended) = p_limit THEN jsonb_build_object()
        ELSE jsonb_build_object('notification', behind) END);
  END IF;
  SELECT n.notification_id INTO through FROM notifications n WHERE n.tenant_id = p_tenant AND n.notification_id > behind
    ORDER BY n.notification_id OFFSET 2 * p_limit - 1 LIMIT 1;
  DELETE FROM notifications n WHERE n.tenant_id = p_tenant AND n.notification_id > behind
    AND (through IS NULL OR n.notification_id <= through)
    AND n.user_ids = ARRAY[p_user] AND n.room_id IS NULL AND NOT n.topic_subscribers;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE notifications n SET user_ids = array_remove(n.user_ids, p_user),
    fanned_to = CASE WHEN n.fanned_to = p_user THEN '' ELSE n.fanned_to END,
    payload = erased_json(n.payload::text, p_user, p_erased)::json
  WHERE n.tenant_id = p_tenant AND n.notification_id > behind AND (through IS NULL OR n.notification_id <= through)
    AND (p_user = ANY (n.user_ids) OR n.fanned_to = p_user OR strpos(n.payload::text, to_json(p_user)::text) > 0)
    AND (n.user_ids, n.fanned_to, n.payload::text) IS DISTINCT FROM (array_remove(n.user_ids, p_user),
      CASE WHEN n.fanned_to = p_user THEN '' ELSE n.fanned_to END, erased_json(n.payload::text, p_user, p_erased));
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('notifications', gone, 'targets', changed),
    'after', CASE WHEN through IS NOT NULL THEN jsonb_build_object('notification', through) END);
END $f$;
