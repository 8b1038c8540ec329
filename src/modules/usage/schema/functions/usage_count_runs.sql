-- Counts runs that have ended and are not counted yet, at most p_limit; returns how many. A run that has ended never
-- changes, so it is counted once, with its mark.
--
-- Locks: the runs; then as usage_runs_add. A transaction that holds rows of usage waits for no run.
--
-- tables: runs
-- execute: tenant
CREATE FUNCTION usage_count_runs(p_tenant uuid, p_limit integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  ended runs[];
BEGIN
  WITH marked AS (
    UPDATE runs q SET is_counted = true
    WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(
      SELECT r.run_id FROM runs r WHERE r.tenant_id = p_tenant AND r.ended_at IS NOT NULL AND r.is_counted IS NULL
      ORDER BY r.run_id LIMIT p_limit FOR NO KEY UPDATE))
    RETURNING q.*
  )
  SELECT array_agg(m::runs) INTO ended FROM marked m;
  IF ended IS NULL THEN RETURN 0; END IF;
  PERFORM usage_runs_add(p_tenant, ended);
  RETURN cardinality(ended);
END $f$;
