-- Delivers a notification to the next p_limit of its targets: the union of the named users, the members of the room and
-- the subscribers of the topic, each of them once (the key of a delivery). They are taken in order of user id, so that a
-- fan-out goes on where it was; a user that joined or subscribed after the notification was made does not get it.
--
-- tables: room_members
-- execute: tenant
CREATE FUNCTION notification_spread(p_tenant uuid, p_id uuid, p_limit integer)
RETURNS json LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  n notifications;
  batch text[];
  open text[];
BEGIN
  SELECT x.* INTO n FROM notifications x WHERE x.tenant_id = p_tenant AND x.notification_id = p_id;
  IF n.notification_id IS NULL THEN RETURN NULL; END IF;
  SELECT array_agg(b.user_id ORDER BY b.user_id) INTO batch FROM (
    SELECT c.user_id FROM (
      (SELECT u.user_id FROM unnest(n.user_ids) u(user_id) WHERE u.user_id > n.fanned_to ORDER BY 1 LIMIT p_limit)
      UNION
      (SELECT m.user_id FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = n.room_id
        AND m.user_id > n.fanned_to AND m.role <> 'agent' AND m.joined_at <= n.created_at
        ORDER BY m.user_id LIMIT p_limit)
      UNION
      (SELECT s.user_id FROM subscriptions s WHERE n.topic_subscribers AND s.tenant_id = p_tenant
        AND s.topic = n.topic AND s.user_id > n.fanned_to AND s.created_at <= n.created_at
        ORDER BY s.user_id LIMIT p_limit)
    ) c ORDER BY c.user_id LIMIT p_limit) b;
  INSERT INTO notification_deliveries (tenant_id, user_id, notification_id, waits_since)
  SELECT p_tenant, u.user_id, p_id, n.created_at FROM unnest(batch) u(user_id) ON CONFLICT DO NOTHING;
  SELECT array_agg(u.user_id) INTO open FROM unnest(batch) u(user_id), LATERAL (SELECT 1 FROM notification_deliveries d
    WHERE d.tenant_id = p_tenant AND d.user_id = u.user_id AND d.notification_id = p_id AND d.delivered_at IS NULL
    OFFSET 0) d;
  RETURN json_build_object('topic', n.topic, 'payload', n.payload, 'created_at', n.created_at,
    'user_ids', COALESCE(open, '{}'), 'last', batch[cardinality(batch)],
    'more', COALESCE(cardinality(batch), 0) = p_limit);
END $f$;
