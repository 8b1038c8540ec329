-- A batch of the erase of a user from what is posted to the tenant, in the order of the deliveries' ids: those go that are about
-- them, or about what they wrote, and those of rooms that they described, since each says the room. Their jobs find nothing.
-- What a target has answered is cut out where the id stands in it.
--
-- tables: messages, rooms
-- execute: tenant
CREATE FUNCTION webhooks_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  behind uuid := COALESCE((p_after->>'delivery')::uuid, '00000000-0000-0000-0000-000000000000');
  through uuid;
  gone bigint;
  cut bigint;
BEGIN
  SELECT d.delivery_id INTO through FROM webhook_deliveries d WHERE d.tenant_id = p_tenant AND d.delivery_id > behind
    ORDER BY d.delivery_id OFFSET p_limit - 1 LIMIT 1;
  DELETE FROM webhook_deliveries d WHERE d.tenant_id = p_tenant AND d.delivery_id > behind
    AND (through IS NULL OR d.delivery_id <= through)
    AND (p_user = ANY (d.user_ids) OR strpos(d.body, to_json(p_user)::text) > 0
      OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = d.room_id
        AND p_erased = ANY (r.described_by))
      OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.message_id = d.subject_id
        AND m.sender_id IN (p_user, p_erased)));
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE webhook_deliveries d SET answer = NULL, error = CASE WHEN strpos(d.error, p_user) > 0 THEN 'failed' ELSE d.error END
  WHERE d.tenant_id = p_tenant AND d.delivery_id > behind AND (through IS NULL OR d.delivery_id <= through)
    AND (strpos(d.answer, p_user) > 0 OR strpos(d.error, p_user) > 0 AND d.error <> 'failed');
  GET DIAGNOSTICS cut = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('webhook_deliveries', gone, 'webhook_answers', cut),
    'after', CASE WHEN through IS NOT NULL THEN jsonb_build_object('delivery', through) END);
END $f$;
