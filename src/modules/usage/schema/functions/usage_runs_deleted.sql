-- Counts runs that ended, are not counted yet and go: what was used stays used. Of a tenant that is being deleted nothing is
-- counted any more.
--
-- Locks: as usage_runs_add.
--
-- tables: runs, tenants
-- execute: tenant
CREATE FUNCTION usage_runs_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT g.tenant_id, array_agg(g::runs) AS ended FROM gone g JOIN tenants t USING (tenant_id)
    WHERE g.ended_at IS NOT NULL AND g.is_counted IS NULL AND t.deleting_since IS NULL GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM usage_runs_add(changed.tenant_id, changed.ended);
  END LOOP;
  RETURN NULL;
END $f$;

CREATE TRIGGER usage_deleted AFTER DELETE ON runs REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION usage_runs_deleted();
