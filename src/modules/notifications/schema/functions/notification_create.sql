-- A notification is stored with its first p_limit deliveries and the job that goes on with the others, all or nothing.
-- Whom it names is a user from then on, like a member or a subscriber: can be listed, exported and erased.
-- status: ok · no_room
--
-- tables: jobs, rooms
-- execute: tenant
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
  PERFORM users_ensure(p_tenant, p_users);
  INSERT INTO notifications (tenant_id, notification_id, topic, payload, user_ids, room_id, topic_subscribers)
  VALUES (p_tenant, p_id, p_topic, p_payload::json, p_users, p_room, p_subscribers) RETURNING created_at INTO made;
  INSERT INTO jobs (tenant_id, kind, key, payload)
  VALUES (p_tenant, 'notification.fan_out', p_id::text, jsonb_build_object('notification_id', p_id));
  PERFORM notification_spread(p_tenant, p_id, p_limit);
  RETURN jsonb_build_object('status', 'ok', 'notification_id', p_id, 'created_at', made);
END $f$;
