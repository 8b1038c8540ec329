-- Begins the erase of a user, unless it has begun; one that failed begins anew. From its commit on calls as the user are refused.
-- `audit`: for audit_result. status: ok (with erasure_id, state) · no_user · legal_hold
--
-- Locks: the tenant (shared): a hold that is committed counts; the user.
--
-- tables: jobs, messages, room_members, rooms, tenants, users
-- execute: tenant
CREATE FUNCTION erasure_request(
  p_tenant uuid, p_user text, p_erasure uuid, p_erased text, p_mac bytea, p_mac_key text, p_delay_ms integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  held users;
  known erasures;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE;
  SELECT * INTO held FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user FOR UPDATE;
  SELECT * INTO known FROM erasures e WHERE e.tenant_id = p_tenant AND e.user_id = p_user FOR UPDATE;
  IF known.state IN ('refusing', 'erasing') THEN
    RETURN jsonb_build_object('status', 'ok', 'erasure_id', known.erasure_id, 'state', known.state);
  END IF;
  IF held.user_id IS NULL AND known.erasure_id IS NULL THEN RETURN jsonb_build_object('status', 'no_user'); END IF;
  IF held.legal_hold OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.legal_hold
    AND (EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.user_id = p_user)
      OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.sender_id = p_user)))
  THEN RETURN jsonb_build_object('status', 'legal_hold'); END IF;
  IF known.erasure_id IS NULL THEN
    INSERT INTO erasures (tenant_id, erasure_id, user_id, user_mac, mac_key_id, erased_id)
    VALUES (p_tenant, p_erasure, p_user, p_mac, p_mac_key, p_erased) RETURNING * INTO known;
  ELSE
    UPDATE erasures e SET state = 'refusing', error = NULL, user_mac = p_mac, mac_key_id = p_mac_key,
      requested_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE e.tenant_id = p_tenant AND e.erasure_id = known.erasure_id RETURNING * INTO known;
  END IF;
  INSERT INTO jobs (tenant_id, kind, key, payload, run_at)
  VALUES (p_tenant, 'user.erase', known.erasure_id::text, jsonb_build_object('erasure_id', known.erasure_id),
    clock_timestamp() + p_delay_ms * interval '1 ms');
  RETURN jsonb_build_object('status', 'ok', 'erasure_id', known.erasure_id, 'state', known.state,
    'audit', jsonb_build_object('user', p_user));
END $f$;
