-- Deletes what no hold covers any more, at most p_limit; returns how much that was.
--
-- Locks: the tenant (shared): a hold that is committed counts.
--
-- tables: rooms, tenants, users
-- execute: tenant
CREATE FUNCTION held_messages_released(p_tenant uuid, p_limit integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  gone bigint;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE;
  DELETE FROM held_messages h USING (
    SELECT x.room_id, x.seq, x.rev FROM held_messages x WHERE x.tenant_id = p_tenant
      AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = x.room_id AND r.legal_hold)
      AND NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = x.sender_id AND u.legal_hold)
    LIMIT p_limit) g
  WHERE h.tenant_id = p_tenant AND h.room_id = g.room_id AND h.seq = g.seq AND h.rev = g.rev;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $f$;
