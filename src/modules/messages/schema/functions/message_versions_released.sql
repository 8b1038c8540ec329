-- Deletes what messages said before they were edited, at most p_limit, where the tenant does not keep that any more and no hold covers
-- the room or the sender; returns how much.
--
-- Locks: the tenant (shared): a setting or a hold that is committed counts.
--
-- tables: rooms, tenants, users
-- execute: tenant
CREATE FUNCTION message_versions_released(p_tenant uuid, p_limit integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  gone bigint;
BEGIN
  IF (SELECT t.settings->>'message_history' = 'on' FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE) THEN RETURN 0; END IF;
  DELETE FROM message_versions v USING (SELECT x.room_id, x.seq, x.rev FROM message_versions x
    WHERE x.tenant_id = p_tenant
      AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = x.room_id AND r.legal_hold)
      AND NOT EXISTS (SELECT 1 FROM messages m JOIN users u ON u.tenant_id = p_tenant AND u.user_id = m.sender_id AND u.legal_hold
        WHERE m.tenant_id = p_tenant AND m.room_id = x.room_id AND m.seq = x.seq)
    LIMIT p_limit) g
  WHERE v.tenant_id = p_tenant AND v.room_id = g.room_id AND v.seq = g.seq AND v.rev = g.rev;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $f$;
