-- A batch of the erase of a user from the exports: every file of the tenant may hold something that the user wrote, a room's name
-- at least, so all of them go; of those that were about the user the rows, too. One that waits is written after this, and one that
-- is written now is found once more in the pass that follows.
--
-- Locks: exports, in the order of their ids.
--
-- execute: tenant
CREATE FUNCTION exports_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  found uuid[];
BEGIN
  SELECT array_agg(x.export_id) INTO found FROM (
    SELECT e.export_id FROM exports e
    WHERE e.tenant_id = p_tenant AND (e.state IN ('running', 'ready') OR e.user_id = p_user)
    ORDER BY e.export_id LIMIT p_limit FOR NO KEY UPDATE) x;
  DELETE FROM exports e WHERE e.tenant_id = p_tenant AND e.export_id = ANY (found) AND e.user_id = p_user;
  UPDATE exports e SET state = 'expired', expires_at = clock_timestamp()
  WHERE e.tenant_id = p_tenant AND e.export_id = ANY (found);
  RETURN jsonb_build_object('counts', jsonb_build_object('exports', COALESCE(cardinality(found), 0)),
    'after', CASE WHEN cardinality(found) = p_limit THEN jsonb_build_object() END);
END $f$;
