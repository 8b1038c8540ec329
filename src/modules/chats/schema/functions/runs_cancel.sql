-- Ends answers of a tenant that are under way or wait, as chat_delete does, at most p_limit; returns how many.
--
-- Locks: the runs.
--
-- execute: tenant
CREATE FUNCTION runs_cancel(p_tenant uuid, p_limit integer) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  WITH ended AS (
    UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
    WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(SELECT u.run_id FROM runs u
      WHERE u.tenant_id = p_tenant AND u.state IN ('queued', 'streaming') ORDER BY u.room_id LIMIT p_limit))
      AND q.state IN ('queued', 'streaming')
    RETURNING 1)
  SELECT count(*) FROM ended
$f$;
