-- Deletes what messages said before they were edited, at most p_limit, where the tenant does not keep that any more; returns how much.
--
-- Locks: the tenant (shared): a setting that is committed counts.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION message_versions_released(p_tenant uuid, p_limit integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  gone bigint;
BEGIN
  IF (SELECT t.settings->>'message_history' = 'on' FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE) THEN RETURN 0; END IF;
  DELETE FROM message_versions v USING (SELECT x.room_id, x.seq, x.rev FROM message_versions x
    WHERE x.tenant_id = p_tenant LIMIT p_limit) g
  WHERE v.tenant_id = p_tenant AND v.room_id = g.room_id AND v.seq = g.seq AND v.rev = g.rev;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $f$;
