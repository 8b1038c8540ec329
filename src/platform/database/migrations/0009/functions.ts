/**
 * A notification is stored with its first thousand deliveries and the job that goes on with the others, all or nothing.
 *
 * Who gets it: the union of the named users, the members of the room and the subscribers of the topic, each of them once
 * (the key of a delivery). They are taken in order of user id, so that a fan-out goes on where it was; who came into the
 * room or subscribed after the notification was made does not get it.
 */
export const FUNCTIONS = `
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

CREATE FUNCTION notification_create(
  p_tenant uuid, p_id uuid, p_topic text, p_payload text, p_users text[], p_room uuid, p_subscribers boolean,
  p_limit integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  made timestamptz(3);
BEGIN
  IF p_room IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  INSERT INTO notifications (tenant_id, notification_id, topic, payload, user_ids, room_id, topic_subscribers)
  VALUES (p_tenant, p_id, p_topic, p_payload::json, p_users, p_room, p_subscribers) RETURNING created_at INTO made;
  INSERT INTO jobs (tenant_id, kind, key, payload)
  VALUES (p_tenant, 'notification.fan_out', p_id::text, jsonb_build_object('notification_id', p_id));
  PERFORM notification_spread(p_tenant, p_id, p_limit);
  RETURN jsonb_build_object('status', 'ok', 'notification_id', p_id, 'created_at', made);
END $f$;

CREATE FUNCTION notification_read(p_tenant uuid, p_user text, p_id uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  UPDATE notification_deliveries d SET read_at = COALESCE(d.read_at, clock_timestamp()),
    delivered_at = COALESCE(d.delivered_at, clock_timestamp()), dead_at = NULL, dead_letter_id = NULL, error = NULL
  WHERE d.tenant_id = p_tenant AND d.user_id = p_user AND d.notification_id = p_id;
  RETURN jsonb_build_object('status', CASE WHEN FOUND THEN 'ok' ELSE 'no_notification' END);
END $f$;

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
`;
