-- Deletes what no hold covers any more, at most p_limit, and what models thought of answers that were deleted; returns how much
-- that was.
--
-- Locks: the tenant (shared): a hold that is committed counts; then runs.
--
-- tables: rooms, runs, tenants, users
-- execute: tenant
CREATE FUNCTION held_messages_released(p_tenant uuid, p_limit integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  gone bigint;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE;
  WITH released AS (DELETE FROM held_messages h USING (
    SELECT x.room_id, x.seq, x.rev FROM held_messages x WHERE x.tenant_id = p_tenant
      AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = x.room_id AND r.legal_hold)
      AND NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = x.sender_id AND u.legal_hold)
    LIMIT p_limit) g
  WHERE h.tenant_id = p_tenant AND h.room_id = g.room_id AND h.seq = g.seq AND h.rev = g.rev
  RETURNING h.room_id, h.seq
  ), hushed AS (
    UPDATE runs q SET reasoning = NULL FROM released x JOIN messages m
      ON m.tenant_id = p_tenant AND m.room_id = x.room_id AND m.seq = x.seq AND m.deleted_at IS NOT NULL
    WHERE q.tenant_id = p_tenant AND q.run_id = m.message_id AND q.reasoning IS NOT NULL
  )
  SELECT count(*) INTO gone FROM released;
  RETURN gone;
END $f$;
